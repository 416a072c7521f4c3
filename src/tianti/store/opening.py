"""Opening a store to look at it."""

from __future__ import annotations

from pathlib import Path

from tianti.core.exceptions import StoreError
from tianti.store.store import Store


def open_store(folder: str | Path) -> Store:
    """Open a store that is there; looking at one never makes one.

    Raises:
        StoreError: there is none in that folder.
    """
    if not (Path(folder) / "tianti.sqlite").exists():
        raise StoreError(
            f"no results in {folder}",
            remedy="run a study first, or name the folder with --store; what papers report of famous systems is in "
            "`tianti reported`",
        )
    return Store(Path(folder))
