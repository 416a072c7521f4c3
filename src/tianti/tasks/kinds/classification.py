"""Classification: each sample has one of the same few labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import Request, Response
from tianti.tasks.kinds.choosing import ACCURACY_ASPECTS, chance_of, choice_requests, grade_choices
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, prompted_example, read_choices, read_label
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import ACC, ACC_BYTES, ACC_NORM, LABEL_F1
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Field, Row


class Classification:
    """The labels are `doc_to_choice`, a list in the file."""

    name: ClassVar[str] = "classification"
    summary: ClassVar[str] = "one of the same few labels for each text"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (ACC, LABEL_F1, ACC_NORM, ACC_BYTES, *ACCURACY_ASPECTS)
    }
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "doc_to_choice")
    refuses: ClassVar[tuple[str, ...]] = ("generation_kwargs", "thinking", "repeats", "option_order")
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
        label = read_label(fields, choices, row, place, named=True)
        return Form((choices[label],), choices, label)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        return choice_requests(prompt, sample, setting, types, self.name)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        return grade_choices(sample, responses)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return chance_of(metric, samples)
