"""Pair matching: how two texts stand to each other: paraphrase, inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from tianti.engine import Response
from tianti.tasks.kinds.classification import Classification
from tianti.tasks.kinds.kind import Sample, Setting
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.structure_metrics import MCC
from tianti.tasks.task import Example, Grade


class PairMatching(Classification):
    """`head_text` is two columns or templates: an encoder reads them as its tokenizer writes a pair of texts."""

    name: ClassVar[str] = "pair-matching"
    summary: ClassVar[str] = "one of the same few labels for two texts: paraphrase, inference"
    metrics: ClassVar[Mapping[str, MetricRule]] = {**Classification.metrics, MCC.name: MCC}
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "doc_to_choice", "head_text")

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("acc", "f1", "mcc")

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        grade = super().grade(sample, responses, setting)
        return Grade(grade.prediction, {**grade.values, MCC.name: grade.values["f1"]})

    def example(self, sample: Sample, setting: Setting) -> Example:
        return replace(super().example(sample, setting), pair=sample.pair)
