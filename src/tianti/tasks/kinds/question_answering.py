"""Question answering: a short answer, written by the model and compared with the right ones in a normal form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.engine import GenerateResponse, Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP, ROBUST, ROBUSTNESS_GAP
from tianti.tasks.kinds.kind import Sample, Setting
from tianti.tasks.kinds.writing import Writing
from tianti.tasks.metric_rule import MetricRule, mean
from tianti.tasks.metrics import (
    ANSWER_F1,
    EXACT_MATCH,
    MAJORITY_VOTE,
    PASS_AT,
    exact_match,
    majority,
    overlap_f1,
    pass_at,
)
from tianti.tasks.task import Grade

_PASS = frozenset(rule.name for rule in PASS_AT.values())


class QuestionAnswering(Writing):
    """`doc_to_target` gives one right answer or a list of them; the first is what shots and training show.

    A sample that is answered several times is graded by all its answers; the prediction is that of most of them.
    """

    name: ClassVar[str] = "question-answering"
    summary: ClassVar[str] = "a short answer in the model's own words"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule
        for rule in (
            EXACT_MATCH,
            ANSWER_F1,
            MAJORITY_VOTE,
            *PASS_AT.values(),
            ROBUST["exact_match"],
            ROBUST["f1"],
            ROBUSTNESS_GAP,
            FAIRNESS_GAP,
        )
    }
    refuses: ClassVar[tuple[str, ...]] = ("doc_to_choice", "option_order")
    expected: ClassVar[str] = "an answer, or a list of right answers"
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("exact_match", "f1")

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        answers, language = sample.form.targets, setting.language
        texts = [response.text for response in responses if isinstance(response, GenerateResponse)]
        right = [exact_match(text, answers, language) for text in texts]
        chosen = majority(texts, language)
        values = {
            "exact_match": mean(right),
            "f1": mean([overlap_f1(text, answers, language) for text in texts]),
            "majority_vote": exact_match(chosen, answers, language),
        }
        values |= {
            rule.name: pass_at(k, len(texts), int(sum(right)))
            for k, rule in PASS_AT.items()
            if k <= len(texts)
        }
        return Grade(chosen, values)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric in (EXACT_MATCH.name, ANSWER_F1.name, MAJORITY_VOTE.name, *_PASS) else None
