"""Machine translation: a sentence in one language, written in another, and compared with reference translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.engine import Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP, ROBUSTNESS_GAP
from tianti.tasks.kinds.kind import Sample, Setting
from tianti.tasks.kinds.writing import Writing, written
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.task import Grade
from tianti.tasks.translation_metrics import TRANSLATION_METRICS, signatures, translation_values


class Translation(Writing):
    """`doc_to_target` gives one reference or a list of them; `target_language` says how they are split into words."""

    name: ClassVar[str] = "translation"
    summary: ClassVar[str] = "a sentence, written in another language"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (*TRANSLATION_METRICS, ROBUSTNESS_GAP, FAIRNESS_GAP)
    }
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "target_language")
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("chrf", "bleu", "chrf++")

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        text = written(responses[0])
        return Grade(text, translation_values(text, sample.form.targets, setting.target_language))

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric == "sentence_chrf" else None

    def signatures(self, setting: Setting) -> Mapping[str, str]:
        """As sacreBLEU writes them."""
        return signatures(setting.target_language)
