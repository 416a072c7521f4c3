"""Machine translation: a sentence in one language, written in another, and compared with reference translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.engine import Request, Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP, ROBUSTNESS_GAP
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, prompted_example
from tianti.tasks.kinds.writing import WRITING_REFUSES, read_texts, write_request, written
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row
from tianti.tasks.translation_metrics import TRANSLATION_METRICS, signatures, translation_values


class Translation:
    """`doc_to_target` gives one reference or a list of them; `target_language` says how they are split into words."""

    name: ClassVar[str] = "translation"
    summary: ClassVar[str] = "a sentence, written in another language"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (*TRANSLATION_METRICS, ROBUSTNESS_GAP, FAIRNESS_GAP)
    }
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "target_language")
    refuses: ClassVar[tuple[str, ...]] = WRITING_REFUSES
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("chrf", "bleu", "chrf++")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        return read_texts(fields, row, place)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        return write_request(prompt, sample, setting, types, self.name)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        text = written(responses[0])
        return Grade(text, translation_values(text, sample.form.targets, setting.target_language))

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric == "sentence_chrf" else None

    def signatures(self, setting: Setting) -> Mapping[str, str]:
        """As sacreBLEU writes them."""
        return signatures(setting.target_language)
