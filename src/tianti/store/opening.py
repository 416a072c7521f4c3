"""Opening a store to look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tianti.core.exceptions import StoreError
from tianti.store.store import Store


def open_store(folder: str | Path) -> Store:
    """Open a store that is there; looking at one never makes one.

    Raises:
        StoreError: there is none in that folder.
    """
    if not has_store(folder):
        raise StoreError(
            f"no results in {folder}",
            remedy="run a study first, or name the folder with --store; what papers report of famous systems is in "
            "`tianti reported`",
        )
    return Store(Path(folder))


@contextmanager
def open_or_none(folder: str | Path) -> Iterator[Store]:
    """Within, the store that is there; or one without results, which lies elsewhere and is gone afterwards."""
    if has_store(folder):
        with Store(Path(folder)) as opened:
            yield opened
    else:
        with TemporaryDirectory(prefix="tianti-") as nowhere, Store(Path(nowhere)) as empty:
            yield empty


def has_store(folder: str | Path) -> bool:
    """Whether results were written there."""
    return (Path(folder) / "tianti.sqlite").exists()
