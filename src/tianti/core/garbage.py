"""The collector of garbage, held while much is made that is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_held() -> Iterator[None]:
    """Within, Python looks for no cycles. It would walk through all that is made, again and again, and find none: a
    fifth of the time of a board of thousands of entries. Also to be put above a function, as a decorator."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()
