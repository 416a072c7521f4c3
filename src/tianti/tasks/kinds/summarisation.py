"""Summarisation: a text, said in fewer words, and compared with reference summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.engine import Request, Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP, ROBUSTNESS_GAP
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, prompted_example
from tianti.tasks.kinds.writing import WRITING_REFUSES, read_texts, write_request, written
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.summary_metrics import ROUGE, rouge
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row

_ROUGE = frozenset(rule.name for rule in ROUGE)


class Summarisation:
    """`doc_to_target` gives one reference summary or a list of them."""

    name: ClassVar[str] = "summarisation"
    summary: ClassVar[str] = "a text, said in fewer words"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (*ROUGE, ROBUSTNESS_GAP, FAIRNESS_GAP)
    }
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text",)
    refuses: ClassVar[tuple[str, ...]] = WRITING_REFUSES
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("rougeL", "rouge1", "rouge2")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        return read_texts(fields, row, place)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        return write_request(prompt, sample, setting, types, self.name)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        text = written(responses[0])
        return Grade(text, rouge(text, sample.form.targets, setting.language))

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric in _ROUGE else None
