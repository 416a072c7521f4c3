"""One process at a time makes what lies in a folder; the others wait and find it made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tianti.core.exceptions import StoreError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, a file beside it that the system frees when this process ends, however it ends.

    Raises:
        StoreError: the lock cannot be taken here.
    """
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f"{folder.name}.lock"))
        lock.acquire()
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be locked: {error}",
            remedy="keep the store on a local disk that can be written",
        ) from error
    try:
        yield
    finally:
        lock.release()
