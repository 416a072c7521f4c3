"""Multiple choice: each sample brings its own choices, one of which is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tianti.tasks.aspect_metrics import ORDER
from tianti.tasks.kinds.choosing import ACCURACY_ASPECTS, Choosing
from tianti.tasks.kinds.kind import Fields, Form, read_choices, read_label
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import ACC, ACC_BYTES, ACC_NORM
from tianti.tasks.template import Row


class MultipleChoice(Choosing):
    """The choices are `doc_to_choice`: a column of lists, a template that prints a list, or a list."""

    name: ClassVar[str] = "multiple-choice"
    summary: ClassVar[str] = "a question and its own choices, one of them right"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (ACC, ACC_NORM, ACC_BYTES, *ACCURACY_ASPECTS, *ORDER)
    }
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("acc", "acc_norm")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        choices = read_choices(fields.choices, row, place, fields.where)
        label = read_label(fields, choices, row, place)
        return Form((choices[label],), choices, label)
