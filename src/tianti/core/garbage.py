"""When Python looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Within it Python looks for no cyclic garbage.

    For what makes hundreds of thousands of objects that all stay, through which Python would look dozens of times: the
    import of large libraries (a tenth to a sixth of the time from the start of a command to its first answer) and
    boards of thousands of entries (a fifth). Also a decorator, as `@without_collection()`.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
