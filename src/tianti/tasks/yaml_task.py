"""A task from a task file: binds its keys to its data and asks, grades and teaches through its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.core.fingerprint import file_digest, fingerprint
from tianti.core.seeds import derive_seed, derived_random
from tianti.engine import GenerateRequest, Request, Response, ScoreRequest
from tianti.tasks.data import columns, read_rows
from tianti.tasks.kinds import KINDS
from tianti.tasks.kinds.kind import Fields, Sample, Setting
from tianti.tasks.task import Example, Grade, Metric, Question, Shots, TaskInfo
from tianti.tasks.task_file import GeneratedData, TaskFile, read_task_file
from tianti.tasks.template import Field, Row, bind, missing_column

PROMPT_VERSION = 1
"""Part of every fingerprint: raise it when the same file would give other prompts or other shots."""

__all__ = ["TaskFile", "YamlTask"]


@dataclass(frozen=True)
class _Place:
    """Where a task file stands: for relative paths and for errors."""

    folder: Path
    name: str


class YamlTask:
    """A `Task` that is described by a `TaskFile`.

    `split` is what is asked. Data is read when it is first needed and kept.
    """

    def __init__(self, file: TaskFile, place: Path, split: str = "test", name: str | None = None) -> None:
        if split not in file.splits:
            raise TaskError(
                f"{place}: no split {split!r} in {file.task}",
                remedy=f"splits: {', '.join(file.splits)}; write NAME(split={file.splits[-1]})",
            )
        self.file = file
        self.split = split
        self.name = name or file.task
        self.kind = KINDS[file.kind]
        self._place = _Place(place.parent, str(place))
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._samples: dict[str, list[Sample]] = {}

    @classmethod
    def from_path(cls, path: Path, split: str = "test", name: str | None = None) -> YamlTask:
        """The task of the file at `path`; TaskError or UnknownNameError when it is no task file."""
        return cls(read_task_file(path), path, split, name)

    @property
    def info(self) -> TaskInfo:
        file = self.file
        return TaskInfo(
            name=self.name,
            kind=file.kind,
            language=file.language,
            description=str(file.metadata.get("description", "")),
            source=file.source,
            licence=file.licence,
            split=self.split,
            version=str(file.metadata.get("version", "1")),
            settings=file.prompt_settings(),
        )

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(
            {
                "data": {split: self._digest(split) for split in self._splits_used},
                "kind_version": self.kind.version,
                "metric_versions": {name: self.kind.metrics[name].version for name in self.file.metric_names},
                "prompt": self.file.prompt_settings(),
                "prompt_version": PROMPT_VERSION,
                "split": self.split,
            }
        )

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        samples = self.samples(self.split)
        return tuple(
            self.kind.metrics[name].metric(self.kind.chance(name, samples)) for name in self.file.metric_names
        )

    def count(self, limit: int | None = None) -> int:
        total = len(self.samples(self.split))
        return total if limit is None else min(limit, total)

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        self._check_shots(shots, request_types)
        for sample in self.samples(self.split)[:limit]:
            prompt = self.prompt(sample, shots)
            yield Question(
                sample_id=sample.id,
                requests=self._requests(prompt, sample, shots, request_types),
                prompt=prompt,
                target=" / ".join(sample.form.targets),
                sample=sample,
                cluster=sample.cluster,
            )

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        grade = self.kind.grade(question.sample, responses, self._setting)
        return Grade(grade.prediction, {name: grade.values[name] for name in self.file.metric_names})

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        if split not in self.file.splits:
            return []
        return [self._example(sample) for sample in self.samples(split)]

    def rows(self, split: str) -> list[dict[str, Any]]:
        """The rows of a split as they stand in the data."""
        if split not in self._rows:
            self._rows[split] = self._read(split)
        return self._rows[split]

    def samples(self, split: str) -> list[Sample]:
        """The samples of a split, checked: TaskError for an unknown label, a duplicate id, a missing column, …"""
        if split not in self._samples:
            self._samples[split] = self._render(split)
        return self._samples[split]

    def prompt(self, sample: Sample, shots: Shots) -> str:
        """Description, solved examples and the sample's own text, joined as lm-evaluation-harness joins them."""
        file = self.file
        solved = [
            shot.text + file.target_delimiter + shot.target + file.fewshot_delimiter
            for shot in self.choose_shots(sample, shots)
        ]
        return "".join([sample.description, *solved, sample.text])

    def choose_shots(self, sample: Sample, shots: Shots) -> list[Sample]:
        """The `shots.k` solved examples for one sample, never one that asks the same.

        Raises:
            IncompatibleError: there are not as many.
        """
        if shots.k == 0:
            return []
        pool, same = self.samples(self.file.fewshot_split), self._pool_texts[sample.text]
        if len(pool) - same < shots.k:
            raise IncompatibleError(
                f"{self.name}: {shots.k} shots asked, split {self.file.fewshot_split!r} has {len(pool) - same}",
                remedy="ask for fewer shots",
            )
        if shots.selection == "random":
            generator = derived_random(shots.seed, self.file.task, sample.id)
            pool = generator.sample(pool, shots.k + same)
        others = (candidate for candidate in pool if candidate.text != sample.text)
        return [candidate for candidate, _ in zip(others, range(shots.k), strict=False)]

    @cached_property
    def _pool_texts(self) -> Counter[str]:
        return Counter(sample.text for sample in self.samples(self.file.fewshot_split))

    def _check_shots(self, shots: Shots, request_types: frozenset[type]) -> None:
        if shots.k == 0:
            return
        if not self.kind.takes_shots:
            raise IncompatibleError(
                f"{self.name}: {self.kind.name} has no solved examples to show", remedy="adapt with zero-shot"
            )
        if self.file.fewshot_split not in self.file.splits:
            raise IncompatibleError(
                f"{self.name}: has no split {self.file.fewshot_split!r} to take shots from",
                remedy=f"give it in data, or set fewshot_split to one of {', '.join(self.file.splits)}",
            )
        if not request_types & {ScoreRequest, GenerateRequest}:
            raise IncompatibleError(
                f"{self.name}: shots stand in a prompt, and this model reads none",
                remedy="adapt it another way",
            )

    def _requests(
        self, prompt: str, sample: Sample, shots: Shots, request_types: frozenset[type]
    ) -> tuple[Request, ...]:
        setting = self._setting
        if setting.generation.temperature > 0:
            seed = derive_seed(shots.seed, self.file.task, sample.id)
            setting = replace(setting, generation=replace(setting.generation, seed=seed))
        return self.kind.requests(prompt, sample, setting, request_types)

    @cached_property
    def _setting(self) -> Setting:
        file, generation = self.file, self.file.generation_kwargs
        request = GenerateRequest(
            context="",
            stop=tuple(generation.until if generation.until is not None else [file.fewshot_delimiter]),
            max_tokens=generation.max_gen_toks,
            temperature=generation.temperature,
            top_p=generation.top_p,
        )
        return Setting(self.name, file.language, file.target_delimiter, request)

    def _example(self, sample: Sample) -> Example:
        form = sample.form
        if not self.kind.takes_shots:
            return Example("", sample.target, sample.head_text or sample.target, sample.target)
        return Example(
            context=sample.description + sample.text,
            continuation=self.file.target_delimiter + sample.target,
            text=sample.head_text,
            target=sample.target,
            choices=form.choices,
            label=form.label,
        )

    @property
    def _splits_used(self) -> list[str]:
        """What a trial on this task may read: the split asked, those to learn from, and the shots."""
        wanted = {self.split, "train", "validation", self.file.fewshot_split}
        return [split for split in self.file.splits if split in wanted]

    def _digest(self, split: str) -> str:
        if isinstance(self.file.data, GeneratedData):
            return fingerprint(self.rows(split))
        path = self._path(split)
        if not path.is_file():
            self.rows(split)  # raises the error that names the files which are there
        return file_digest(path)

    def _path(self, split: str) -> Path:
        return self._place.folder / str(getattr(self.file.data, split))

    def _read(self, split: str) -> list[dict[str, Any]]:
        data = self.file.data
        return _generated(data, split) if isinstance(data, GeneratedData) else read_rows(self._path(split))

    def _render(self, split: str) -> list[Sample]:
        rows, file = self.rows(split), self.file
        where = f"{self._place.name}, split {split}"
        names = columns(rows)
        fields = self._fields(names, where)
        description = bind("description", file.description, where, names, constant=True)
        head = bind("head_text", file.head_text, where, names) if file.head_text else fields.text
        ids = _ids(rows, file.id, names, where)
        for key in (file.cluster,) if file.cluster else ():
            if key not in names:
                raise missing_column(key, names, where, "cluster")
        samples = []
        for sample_id, row, number in zip(ids, rows, range(1, len(rows) + 1), strict=True):
            place = f"row {number}"
            text = fields.text.text(row, place)
            samples.append(
                Sample(
                    id=sample_id,
                    text=text,
                    form=self.kind.read(fields, row, place),
                    head_text=text if head is fields.text else head.text(row, place),
                    cluster=str(row.get(file.cluster, "")) if file.cluster else "",
                    description=description.text(row, place),
                    row=row,
                )
            )
        return samples

    def _fields(self, names: frozenset[str], where: str) -> Fields:
        file = self.file
        target, choice = file.doc_to_target, file.doc_to_choice
        choices: Field | tuple[str, ...] | None = tuple(choice) if isinstance(choice, list) else None
        if isinstance(choice, str):
            choices = bind("doc_to_choice", choice, where, names)
        return Fields(
            text=bind("doc_to_text", file.doc_to_text, where, names),
            target=target if isinstance(target, int) else bind("doc_to_target", target, where, names),
            choices=choices,
            where=where,
        )


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
        shown = ", ".join(map(repr, twice[:5]))
        raise TaskError(
            f"{where}: {len(twice)} ids in column {column!r} stand more than once: {shown}",
            remedy="give each row its own id, or name another column with id: COLUMN",
        )
    return ids


def _id(row: Mapping[str, Any], column: str, number: int, where: str) -> str:
    value = row.get(column)
    if value is None or value == "":
        raise TaskError(f"{where}: row {number} has no id in column {column!r}", remedy="fill it in")
    return str(value)


def _generated(data: GeneratedData, split: str) -> list[dict[str, Any]]:
    from tianti.tasks import nano

    seed = nano.PUBLIC_SEED if data.seed is None else data.seed
    return nano.samples(data.kind, data.language, split, seed)
