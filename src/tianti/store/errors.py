"""What the disk and the database complain about, said so that a person can act on it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tianti.core.exceptions import StoreError

_KEPT = "every answer stored so far is kept"
_FULL = ("the disk is full", f"free some space and run the same command again: {_KEPT}")
_ELSEWHERE = "use another folder (--store DIR, or the variable TIANTI_STORE; in Python store=DIR)"
_FORBIDDEN = ("it may not be written", f"{_ELSEWHERE}, or give yourself the right to write there")
_NO_PLACE = ("there is no such folder, and none can be made", _ELSEWHERE)
_IN_THE_WAY = ("a file is in the way", f"{_ELSEWHERE}, or move the file")
_LIMIT = (
    "a file reached the size limit of this process",
    f"raise the limit (ulimit -f) and run the same command again: {_KEPT}",
)
_DEVICE = (
    "the disk refused to read or write",
    f"check the disk, its quota and the size limit (ulimit -f), then run the same command again: {_KEPT}",
)
_DAMAGED = (
    "the database is damaged",
    "put a copy of it back, or move the folder away and start anew; sealed answers stay readable in parts/",
)
_LOCKED = (
    "another process has been writing to it for 30 seconds",
    f"wait until that process has ended, then run the same command again: {_KEPT}",
)

_BY_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _LIMIT,
    errno.EIO: _DEVICE,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EROFS: _FORBIDDEN,
    errno.ENOENT: _NO_PLACE,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
}
# By words of the message: SQLite's, and after the bar PostgreSQL's where they differ.
_BY_WORDS = {
    "disk is full|no space left": _FULL,
    "database is locked|database table is locked|lock timeout": _LOCKED,
    "readonly database|unable to open database|read-only transaction": _FORBIDDEN,
    "disk i/o error": _DEVICE,
    "malformed|not a database|invalid page": _DAMAGED,
}


@contextmanager
def explained(where: Path, doing: str) -> Iterator[None]:
    """Turn errors of the disk and the database into a `StoreError` that says what, where and what to do.

    Raises:
        StoreError: in place of `OSError`, `sqlite3.Error` and SQLAlchemy's `DBAPIError`.
    """
    try:
        yield
    except (OSError, sqlite3.Error, DBAPIError) as error:
        what, remedy = _explain(error)
        raise StoreError(f"{where}: cannot {doing}: {what}", remedy=remedy) from error


def _explain(error: Exception) -> tuple[str, str]:
    if isinstance(error, OSError) and error.errno in _BY_ERRNO:
        return _BY_ERRNO[error.errno]
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    message = str(cause).strip()
    for words, explanation in _BY_WORDS.items():
        if any(word in message.lower() for word in words.split("|")):
            return explanation
    return message or type(cause).__name__, f"run the same command again: {_KEPT}"
