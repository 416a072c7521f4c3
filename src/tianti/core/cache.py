"""What can be made again, kept in files so that it is not made each time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Where tianti keeps what it can make again: TIANTI_CACHE, else XDG_CACHE_HOME/tianti, else ~/.cache/tianti."""
    if chosen := os.environ.get("TIANTI_CACHE"):
        return Path(chosen).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "tianti"


def write_whole(path: Path, text: str) -> None:
    """Write beside the place and rename, so that nobody ever reads half a file. Makes the folder.

    Raises:
        OSError: the disk refuses; the place is as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
