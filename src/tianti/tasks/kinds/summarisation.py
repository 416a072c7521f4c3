"""Summarisation: a text, said in fewer words, and compared with reference summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.engine import Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP, ROBUSTNESS_GAP
from tianti.tasks.kinds.kind import Sample, Setting
from tianti.tasks.kinds.writing import Writing, written
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.summary_metrics import ROUGE, rouge
from tianti.tasks.task import Grade

_ROUGE = frozenset(rule.name for rule in ROUGE)


class Summarisation(Writing):
    """`doc_to_target` gives one reference summary or a list of them."""

    name: ClassVar[str] = "summarisation"
    summary: ClassVar[str] = "a text, said in fewer words"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (*ROUGE, ROBUSTNESS_GAP, FAIRNESS_GAP)
    }
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("rougeL", "rouge1", "rouge2")

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        text = written(responses[0])
        return Grade(text, rouge(text, sample.form.targets, setting.language))

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric in _ROUGE else None
