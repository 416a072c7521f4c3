"""Files → the store, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tianti.board.importers import SourceFile, check_there, read_import
from tianti.core.exceptions import InputError
from tianti.store import ImportRecord, NewImport, Store


@dataclass(frozen=True)
class Imported:
    """What became of the files: `added` now, `found` from before; `notes` are by file."""

    added: tuple[ImportRecord, ...]
    found: tuple[ImportRecord, ...]
    notes: tuple[tuple[str, str], ...]


def import_files(
    store: Store, paths: Sequence[Path], study: str | None = None, model: str | None = None
) -> Imported:
    """Read every file, then add all of them in one transaction; one that was imported before is not read again.

    Args:
        study: the study that they go to; by default each format's own.
        model: the model that they are about, for files that do not say.

    Raises:
        InputError: a file cannot be used; nothing is added.
    """
    if study is not None and study in {record.name for record in store.studies()}:
        raise InputError(
            f"study {study!r} was run here: imported results are no part of it", remedy="give another name"
        )
    before = {(record.study, record.sha256): record for record in store.imports()}
    by_file = {record.sha256: record for record in store.imports()}
    new: list[NewImport] = []
    found: list[ImportRecord] = []
    notes: list[tuple[str, str]] = []
    for path in dict.fromkeys(paths):
        file = SourceFile(path, model)
        check_there(file)
        known = before.get((study, file.sha256)) if study else by_file.get(file.sha256)
        if known is not None:
            found.append(known)
            continue
        content = read_import(file)
        notes += [(str(path), note) for note in content.notes]
        new.append(
            NewImport(
                study or content.study, content.format, path.name, file.sha256, content.facts, content.tables
            )
        )
    return Imported(tuple(store.add_imports(new)), tuple(found), tuple(notes))
