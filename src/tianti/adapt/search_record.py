"""The tries of a search on disk: where each has what it learned, and the record of all of them once it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tianti.core.exceptions import StoreError

RECORD = "search.json"
"""Written when the search is done; a folder without it is the rest of one that was killed."""


def folder_of(folder: Path, tried: Mapping[str, Any]) -> Path:
    """Where what a try learned lies until a better one is chosen."""
    return folder / f"try-{tried['number']}"


def write_tries(folder: Path, identity: str, tries: Sequence[Mapping[str, Any]]) -> None:
    """Record the tries of a search that is done; StoreError where the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{RECORD}.part"
        part.write_text(json.dumps({"identity": identity, "tries": tries}, indent=2), encoding="utf-8")
        part.replace(folder / RECORD)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written: {error}", remedy="free some space and run again"
        ) from error


def read_tries(folder: Path, identity: str) -> list[dict[str, Any]] | None:
    """The tries of a search that is done, or None.

    Raises:
        StoreError: the record cannot be read, or is one of another search.
    """
    path = folder / RECORD
    if not path.is_file():
        return None
    remedy = f"delete the folder {folder} to search again"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        known, tries = record["identity"], list(record["tries"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read: {error!r}", remedy=remedy) from error
    if known != identity:
        raise StoreError(f"{folder}: holds another search", remedy=remedy)
    return tries
