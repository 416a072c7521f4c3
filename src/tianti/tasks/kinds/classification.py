"""Classification: each sample has one of the same few labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.tasks.kinds.choosing import ACCURACY_ASPECTS, Choosing
from tianti.tasks.kinds.kind import Fields, Form, read_choices, read_label
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import ACC, ACC_BYTES, ACC_NORM, LABEL_F1
from tianti.tasks.template import Field, Row


class Classification(Choosing):
    """The labels are `doc_to_choice`, a list in the file."""

    name: ClassVar[str] = "classification"
    summary: ClassVar[str] = "one of the same few labels for each text"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (ACC, LABEL_F1, ACC_NORM, ACC_BYTES, *ACCURACY_ASPECTS)
    }
    refuses: ClassVar[tuple[str, ...]] = (*Choosing.refuses, "option_order")
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
