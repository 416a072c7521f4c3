"""When Python looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Within it Python looks for no cyclic garbage.

    For the import of large libraries: they make hundreds of thousands of objects, which all stay, and Python would look
    through them dozens of times. It is a tenth to a sixth of the time from the start of a command to its first answer.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
