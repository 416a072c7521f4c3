"""A task from a task file: binds its keys to its data and asks, grades and teaches through its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tianti.core.exceptions import TaskError
from tianti.core.fingerprint import fingerprint
from tianti.engine import Response
from tianti.tasks.asking import Asker
from tianti.tasks.aspects import of_group, over_orders, over_pair, robustness
from tianti.tasks.kinds import KINDS
from tianti.tasks.kinds.kind import Learning, Sample, Setting, Signed, TeachingMuch
from tianti.tasks.samples import TaskData
from tianti.tasks.task import Example, Grade, Metric, Question, Shots, TaskInfo
from tianti.tasks.task_file import TaskFile, read_task_file
from tianti.tasks.worded import Asked, facts, repeats_of, worded_questions, wordings
from tianti.tasks.wording import Wording

PROMPT_VERSION = 1
"""Part of every fingerprint: raise it when the same file would give other prompts or other shots."""


class YamlTask:
    """A `Task` that is described by a `TaskFile`.

    `split` is what is asked; `asker` makes its questions. Data is read when it is first needed and kept.
    """

    def __init__(
        self,
        file: TaskFile,
        path: Path,
        *,
        split: str = "test",
        name: str | None = None,
        reference: str | None = None,
    ) -> None:
        if split not in file.splits:
            raise TaskError(
                f"{path}: no split {split!r} in {file.task}",
                remedy=f"splits: {', '.join(file.splits)}; write NAME(split={file.splits[-1]})",
            )
        self.file = file
        self.split = split
        self.name = name or file.task
        self.reference = reference or str(path)
        self.kind = KINDS[file.kind]
        self.path = path
        self._data = TaskData(file, path)
        self.asker = Asker(file, self._data, split, self.name)

    @classmethod
    def from_path(cls, path: Path, split: str = "test", name: str | None = None) -> YamlTask:
        """The task of the file at `path`; TaskError or UnknownNameError when it is no task file."""
        return cls(read_task_file(path), path, split=split, name=name)

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
            reference=self.reference,
        )

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(
            {
                "data": {split: self._data.digest(split) for split in self._splits_used},
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
        signatures = self.kind.signatures(self.asker.setting) if isinstance(self.kind, Signed) else {}
        return tuple(
            self.kind.metrics[name].metric(self.kind.chance(name, samples), signatures.get(name, ""))
            for name in self.file.metric_names
        )

    def count(self, limit: int | None = None) -> int:
        total = len(self.samples(self.split))
        return total if limit is None else min(limit, total)

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        if shots.wording != Wording():
            return worded_questions(self, shots, request_types, limit)
        self.asker.check(shots, request_types)
        samples = self.samples(self.split)[:limit]
        return (self.asker.question(sample, shots, request_types) for sample in samples)

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        if isinstance(question.sample, Asked):
            return question.sample.grade(question, responses)
        sample: Sample = question.sample
        size = len(responses) // (self.asker.answers + len(sample.variants))  # requests of one asking
        usual, others = responses[: size * self.asker.answers], responses[size * self.asker.answers :]
        grade = self.kind.grade(sample, usual, self._grading)
        values = {**grade.values}
        if sample.variants or self.file.group is not None:
            variants = [others[start : start + size] for start in range(0, len(others), size)]
            values |= self._aspects(sample, grade, usual, variants)
        return Grade(
            grade.prediction, {name: values[name] for name in self.file.metric_names if name in values}
        )

    def with_file(self, file: TaskFile) -> YamlTask:
        """This task by another file over the same data."""
        return YamlTask(file, self.path, split=self.split, name=self.name, reference=self.reference)

    def check_wording(self, wording: Wording) -> None:
        """Raise IncompatibleError where it asks for a template or an instruction that the file does not have."""
        wordings(self, wording)

    def wording_facts(self, wording: Wording) -> dict[str, Any]:
        """What a wording takes from the task file, as JSON; it is part of a trial, not of the task's fingerprint."""
        return facts(self.file, wording)

    def questions_of_a_sample(self, wording: Wording) -> int:
        """How many questions each sample becomes."""
        return repeats_of(self.file, wording)

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        if split not in self.file.splits:
            return []
        kind, setting, samples = self.kind, self.asker.setting, self.samples(split)
        if isinstance(kind, TeachingMuch):
            return [example for sample in samples for example in kind.examples(sample, setting)]
        return [kind.example(sample, setting) for sample in samples]

    def rows(self, split: str) -> list[dict[str, Any]]:
        """The rows of a split as they stand in the data."""
        return self._data.rows(split)

    def samples(self, split: str) -> list[Sample]:
        """The samples of a split, checked: TaskError for an unknown label, a duplicate id, a missing column, …"""
        return self._data.samples(split)

    def _aspects(
        self, sample: Sample, grade: Grade, usual: Sequence[Response], variants: Sequence[Sequence[Response]]
    ) -> dict[str, Any]:
        """The values that the sample's other forms, and its group, add."""
        setting, base = self.asker.setting, self.file.base_metric
        grades = [
            self.kind.grade(variant.sample, responses, setting)
            for variant, responses in zip(sample.variants, variants, strict=True)
        ]
        forms = list(zip(grades, sample.variants, strict=True))
        perturbed = [each for each, form in forms if not form.order and not form.swapped]
        ordered = [(each, form) for each, form in forms if form.order]
        values: dict[str, Any] = {}
        for each in (each for each, form in forms if form.swapped):
            values |= over_pair(grade, each)
        if base is not None:
            better = self.kind.metrics[base].higher_is_better
            values |= of_group(sample, grade.values, base, higher_is_better=better)
            if perturbed:
                alone = (
                    [grade]
                    if self.asker.answers == 1
                    else [self.kind.grade(sample, [each], setting) for each in usual]
                )
                values |= robustness(alone, perturbed, base, higher_is_better=better)
        if ordered:
            labels = [sample.form.label or 0, *(form.sample.form.label or 0 for _, form in ordered)]
            as_it_is = (grade, tuple(range(len(sample.form.choices))))
            values |= over_orders([as_it_is, *((each, form.order) for each, form in ordered)], labels)
        return values

    @cached_property
    def _grading(self) -> Setting:
        """The setting with what the kind has learned to grade with."""
        if not isinstance(self.kind, Learning):
            return self.asker.setting
        samples = self.samples("train") if "train" in self.file.splits else []
        return replace(self.asker.setting, learned=self.kind.learn(samples, self.file.language))

    @property
    def _splits_used(self) -> list[str]:
        """What a trial on this task may read: the split asked, those to learn from, and the shots."""
        wanted = {self.split, "train", "validation", self.file.fewshot_split}
        return [split for split in self.file.splits if split in wanted]
