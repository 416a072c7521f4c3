"""Relation extraction: which relation holds between two marked parts of a text, and in which direction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import Response
from tianti.tasks.kinds.classification import Classification
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.structure_metrics import (
    NO_RELATION,
    RELATION_F1,
    RELATION_MICRO_F1,
    UNDIRECTED_F1,
    UNDIRECTED_MICRO_F1,
)
from tianti.tasks.task import Grade
from tianti.tasks.template import Row

_RELATION_METRICS = (RELATION_F1, RELATION_MICRO_F1, UNDIRECTED_F1, UNDIRECTED_MICRO_F1)


class RelationExtraction(Classification):
    """A label is `relation(e1,e2)`, `relation(e2,e1)`, a relation without direction, or `no_relation`.

    A head reads both parts marked where `head_text` has them so.
    """

    name: ClassVar[str] = "relation-extraction"
    summary: ClassVar[str] = "the relation of two marked parts of a text, with its direction"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        **{rule.name: rule for rule in _RELATION_METRICS},
        **{name: rule for name, rule in Classification.metrics.items() if rule.needs != "perturbations"},
    }
    refuses: ClassVar[tuple[str, ...]] = (*Classification.refuses, "perturbations")

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return (*(rule.name for rule in _RELATION_METRICS), "acc")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        form = super().read(fields, row, place)
        if fields.no_relation is not None and fields.no_relation not in form.choices:
            raise TaskError(
                f"{fields.where}: no_relation {fields.no_relation!r} is none of the choices",
                remedy=f"name one of {', '.join(map(repr, form.choices))}, or leave it out",
            )
        return replace(form, no_relation=fields.no_relation)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        grade = super().grade(sample, responses, setting)
        gold, claimed = (relation_of(sample.form, label) for label in grade.values["f1"])
        counted = {rule.name: [*gold, *claimed] for rule in _RELATION_METRICS}
        return Grade(grade.prediction, {**grade.values, **counted})


def relation_of(form: Form, label: int) -> tuple[int, int]:
    """The number of a label's relation, the same in both directions, and 1 where it leads from e2 to e1."""
    if form.choices[label] == form.no_relation:
        return NO_RELATION, 0
    names = [_split(choice) for choice in form.choices]
    name, direction = names[label]
    return next(number for number, (other, _) in enumerate(names) if other == name), direction


def _split(label: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)\((e1,e2|e2,e1)\)", label)
    return (match[1], int(match[2] == "e2,e1")) if match else (label, 0)
