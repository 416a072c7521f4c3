"""Classification: each sample has one of the same few labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import Request, Response
from tianti.tasks.kinds.choosing import choice_requests, grade_choices, guessing
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, read_choices, read_label
from tianti.tasks.metrics import ACC, ACC_BYTES, ACC_NORM, LABEL_F1, MetricRule
from tianti.tasks.task import Grade
from tianti.tasks.template import Field, Row


class Classification:
    """The labels are `doc_to_choice`, a list in the file."""

    name: ClassVar[str] = "classification"
    summary: ClassVar[str] = "one of the same few labels for each text"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (ACC, LABEL_F1, ACC_NORM, ACC_BYTES)
    }
    takes_shots: ClassVar[bool] = True
    needs_choices: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("acc", "f1")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        if isinstance(fields.choices, Field):
            raise TaskError(
                f"{fields.where}: doc_to_choice of a classification expects the list of labels",
                remedy="write doc_to_choice: [label, label, …], or kind: multiple-choice where choices differ by row",
            )
        choices = read_choices(fields.choices, row, place, fields.where)
        _refuse_ambiguous(fields, choices, row, place)
        label = read_label(fields.target, choices, row, place, fields.where)
        return Form((choices[label],), choices, label)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        return choice_requests(prompt, sample, setting, types, self.name)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        return grade_choices(sample, responses)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return None if metric == "f1" else guessing(samples)


def _refuse_ambiguous(fields: Fields, choices: Sequence[str], row: Row, place: str) -> None:
    """A numeric label 3 of the labels "1", …, "5" can mean "3" or, as an index, "4"."""
    value = fields.target if isinstance(fields.target, int) else fields.target.value(row, place)
    text = str(value)
    if (
        text.isdecimal()
        and text in choices
        and not _same(choices, text)
        and not _is_choice(fields.target, value)
    ):
        raise TaskError(
            f"{fields.where}: {place}: label {value!r} can mean the label {text!r} or the label at index {text}",
            remedy="write the labels in the data as text, or number them from 0",
        )


def _same(choices: Sequence[str], text: str) -> bool:
    return int(text) < len(choices) and choices[int(text)] == text


def _is_choice(target: Field | int, value: object) -> bool:
    """Text in a column is the label itself."""
    return isinstance(target, Field) and target.is_column and isinstance(value, str)
