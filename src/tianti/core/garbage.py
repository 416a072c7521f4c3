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


class SetAside:
    """What is in memory at some time, left out when Python looks for garbage from then on.

    A whole look goes through the 400,000 objects of torch and transformers: a fifth of a second, and each training
    begins with one to know what memory it adds. What is set aside is freed as ever when nobody refers to it; only
    where its parts refer to each other it stays until it is taken `back`, at the latest when this object goes.
    """

    def __init__(self) -> None:
        self._ours = False

    def take(self) -> None:
        """Set aside what there is; nothing where a caller has set something aside and decides over it."""
        if not gc.get_freeze_count():
            gc.freeze()
            self._ours = True

    def back(self) -> None:
        """Python looks through everything again."""
        if self._ours:
            gc.unfreeze()
            self._ours = False

    def __del__(self) -> None:
        self.back()
