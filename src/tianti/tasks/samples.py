"""The data of a task file: its rows by split, and the samples that its keys make of them, each checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tianti.core.exceptions import TaskError, UnknownNameError
from tianti.core.fingerprint import file_digest, fingerprint
from tianti.core.neighbours import name_neighbours
from tianti.tasks.data import READERS, Rows, columns, find_reader, read_rows
from tianti.tasks.forms import Binding, Forms
from tianti.tasks.kinds import KINDS
from tianti.tasks.kinds.kind import Fields, Sample, Variant
from tianti.tasks.task_file import TaskFile
from tianti.tasks.task_file.keys import GeneratedData
from tianti.tasks.task_file.text_keys import own_columns
from tianti.tasks.template import Field, Row, bind, missing_column


class TaskData:
    """The rows and samples of a task file that stands at `path`. Read when first needed, then kept."""

    def __init__(self, file: TaskFile, path: Path) -> None:
        self._file = file
        self._path = path
        self._rows: dict[str, Rows] = {}
        self._samples: dict[str, list[Sample]] = {}
        self._variants: dict[str, dict[str, tuple[Variant, ...]]] = {}

    def rows(self, split: str) -> Rows:
        """The rows of a split as they stand in the data."""
        if split not in self._rows:
            data = self._file.data
            self._rows[split] = (
                _generated(data, split, str(self._path))
                if isinstance(data, GeneratedData)
                else read_rows(self._data_path(split))
            )
        return self._rows[split]

    def samples(self, split: str) -> list[Sample]:
        """The samples of a split; TaskError for an unknown label, a duplicate id, a missing column, …"""
        if split not in self._samples:
            self._samples[split] = self._render(split)
        return self._samples[split]

    def variants(self, split: str) -> dict[str, tuple[Variant, ...]]:
        """The other forms of each sample of a split, by its id; TaskError where a key asks for what the data lacks."""
        if split not in self._variants:
            where = f"{self._path}, split {split}"
            binding = _bind(self._file, columns(self.rows(split)), where)
            self._variants[split] = Forms(self._file, binding, where).of(self.samples(split))
        return self._variants[split]

    def digest(self, split: str) -> str:
        """The sha256 of the split's file, or of its rows where they are generated."""
        if isinstance(self._file.data, GeneratedData):
            return fingerprint(self.rows(split))
        return file_digest(self._data_path(split))

    def _data_path(self, split: str) -> Path:
        """The split's file; paths are relative to the task file."""
        name = str(getattr(self._file.data, split))
        path = self._path.parent / name
        find_reader(path)
        if not path.is_file():
            raise TaskError(
                f"{self._path}: data: {split}: no file {name} in {self._path.parent.absolute()}",
                remedy=name_neighbours(path, READERS, "data files"),
            )
        return path

    def _render(self, split: str) -> list[Sample]:
        rows = self.rows(split)
        names = columns(rows)
        where = f"{self._path}, split {split}"
        binding = _bind(self._file, names, where)
        ids = _ids(rows, self._file.id, names, where)
        kind = KINDS[self._file.kind]
        samples = []
        for number, (sample_id, row) in enumerate(zip(ids, rows, strict=True), 1):
            place = f"row {number}"
            form = kind.read(binding.fields, row, place)
            sample = Sample(
                id=sample_id,
                text=binding.fields.text.text(row, place) if form.prompt is None else form.prompt,
                form=form,
                head_text=binding.head_text(row, place) if form.prompt is None else form.prompt,
                pair=binding.pair(row, place),
                cluster=str(binding.cluster.value(row, place)) if binding.cluster else "",
                description=binding.description.text(row, place),
                row=row,
                group=str(binding.group.value(row, place)) if binding.group else "",
            )
            samples.append(sample)
        return samples


def _bind(file: TaskFile, names: frozenset[str], where: str) -> Binding:
    text = bind("doc_to_text", file.doc_to_text, where, names)
    target, choice = file.doc_to_target, file.doc_to_choice
    choices: Field | tuple[str, ...] | None = tuple(choice) if isinstance(choice, list) else None
    if isinstance(choice, str):
        choices = bind("doc_to_choice", choice, where, names)
    fields = Fields(
        text=text,
        target=target if isinstance(target, int) else bind("doc_to_target", target, where, names),
        choices=choices,
        where=where,
        language=file.language,
        head=_optional("head_text", file.head_text, where, names)
        if isinstance(file.head_text, str)
        else None,
        words=_optional("words", file.words, where, names),
        entity_types=file.entity_names,
        no_relation=file.no_relation,
        passage=_optional("passage", file.passage, where, names),
        answer_start=_optional("answer_start", file.answer_start, where, names),
        own={key: bind(key, source, where, names) for key, source in own_columns(file).items()},
    )
    heads = [file.head_text] if isinstance(file.head_text, str) else file.head_text or []
    return Binding(
        fields,
        description=bind("description", file.description, where, names, constant=True),
        heads=tuple(bind("head_text", each, where, names) for each in heads) or (text,),
        cluster=_optional("cluster", file.cluster, where, names),
        group=_optional("group", file.group, where, names),
    )


def _optional(key: str, source: str | None, where: str, names: frozenset[str]) -> Field | None:
    """The field of a key that may be absent."""
    return bind(key, source, where, names) if source else None


def _ids(rows: Sequence[Row], column: str | None, names: frozenset[str], where: str) -> list[str]:
    """The samples' ids: the given column, else a column `id`, else the row numbers from 0."""
    if column is None and "id" not in names:
        return [str(number) for number in range(len(rows))]
    column = column or "id"
    if column not in names:
        raise missing_column(column, names, where, "id")
    ids = [_id(row, column, number, where) for number, row in enumerate(rows, 1)]
    twice = [sample_id for sample_id, count in Counter(ids).items() if count > 1]
    if twice:
        count = f"{len(twice)} ids stand" if len(twice) > 1 else "an id stands"
        raise TaskError(
            f"{where}: {count} more than once in column {column!r}: {', '.join(map(repr, twice[:5]))}",
            remedy="give each row its own id, or name another column with id: COLUMN",
        )
    return ids


def _id(row: Mapping[str, Any], column: str, number: int, where: str) -> str:
    value = row.get(column)
    if value is None or value == "":
        raise TaskError(f"{where}: row {number} has no id in column {column!r}", remedy="fill it in")
    return str(value)


def _generated(data: GeneratedData, split: str, where: str) -> Rows:
    from tianti.tasks import nano

    for key, value, valid in (("kind", data.kind, nano.KINDS), ("language", data.language, nano.LANGUAGES)):
        if value not in valid:
            raise UnknownNameError(f"{key} of the generator {data.generator}", value, valid, where=where)
    seed = nano.PUBLIC_SEED if data.seed is None else data.seed
    return nano.samples(data.kind, data.language, split, seed)
