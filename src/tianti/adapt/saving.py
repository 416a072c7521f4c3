"""What an adaptation learned, on disk: `tensors.safetensors`, and `adapted.json`, which is written last.

A folder with `adapted.json` is complete; one without is the rest of a run that was killed, and is written again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from tianti.adapt.adaptation import Cost
from tianti.core.exceptions import StoreError
from tianti.core.fingerprint import file_digest

TENSORS = "tensors.safetensors"
RECORD = "adapted.json"


def save(folder: Path, identity: Mapping[str, Any], tensors: Mapping[str, Tensor], cost: Cost) -> int:
    """Write what was learned; returns the bytes that the tensors take on disk.

    `identity` says what was learned from what: a folder is loaded only for the same.
    """
    from safetensors.torch import save_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{TENSORS}.part"
        save_file(dict(tensors), part)
        into_place(part, folder / TENSORS)
        saved = (folder / TENSORS).stat().st_size
        record = {
            "identity": dict(identity),
            "cost": asdict(cost) | {"saved_bytes": saved},
            "digest": file_digest(folder / TENSORS),
        }
        part = folder / f"{RECORD}.part"
        part.write_text(json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False), encoding="utf-8")
        into_place(part, folder / RECORD)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written: {error}", remedy="free some space and run again"
        ) from error
    return saved


def load(folder: Path, identity: Mapping[str, Any]) -> tuple[dict[str, Tensor], Cost] | None:
    """What was learned and what it cost, or None when the folder is not complete.

    Raises:
        StoreError: the folder holds something else, or its files were changed.
    """
    from safetensors.torch import load_file

    path = folder / RECORD
    if not path.is_file():
        return None
    remedy = f"delete the folder {folder} to train again"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        known, digest, cost = record["identity"], record["digest"], record["cost"]
        if digest != file_digest(folder / TENSORS):
            raise StoreError(f"{folder / TENSORS}: was changed after it was written", remedy=remedy)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read: {error!r}", remedy=remedy) from error
    if known != json.loads(json.dumps(dict(identity))):
        differ = sorted(key for key in known.keys() | identity.keys() if known.get(key) != identity.get(key))
        raise StoreError(f"{folder}: holds another adaptation ({', '.join(differ)} differ)", remedy=remedy)
    figures = {field.name for field in fields(Cost)}  # an older record may have one that is no longer taken
    cost = {key: value for key, value in cost.items() if key in figures}
    curves = {key: tuple(value) for key, value in cost.items() if isinstance(value, list)}
    return load_file(folder / TENSORS), Cost(**(cost | curves))


def into_place(part: Path, path: Path) -> None:
    """Rename once the bytes are on the disk, so that `path` is whole or absent."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
