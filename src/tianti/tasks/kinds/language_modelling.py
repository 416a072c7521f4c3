"""Language modelling: how well does the model predict a whole text?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import Request, Response, RollingRequest, RollingResponse
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import (
    BITS_PER_BYTE,
    BYTE_PERPLEXITY,
    UNSPACED_LANGUAGES,
    WORD_PERPLEXITY,
    count_bytes,
    count_words,
)
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row


class LanguageModelling:
    """`doc_to_target` is the text to predict; there is no prompt and there are no shots."""

    name: ClassVar[str] = "language-modelling"
    summary: ClassVar[str] = "perplexity of whole texts"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (BITS_PER_BYTE, BYTE_PERPLEXITY, WORD_PERPLEXITY)
    }
    takes_shots: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    refuses: ClassVar[tuple[str, ...]] = (
        "doc_to_text",
        "doc_to_choice",
        "target_delimiter",
        "fewshot_delimiter",
        "fewshot_split",
        "description",
        "generation_kwargs",
        "thinking",
        "repeats",
        "perturbations",
        "option_order",
        "group",
    )
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        words = () if language in UNSPACED_LANGUAGES else ("word_perplexity",)
        return ("bits_per_byte", "byte_perplexity", *words)

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        text = str(fields.target) if isinstance(fields.target, int) else fields.target.text(row, place)
        if not text:
            raise TaskError(f"{fields.where}: {place}: the text is empty", remedy="leave the row out")
        return Form((text,))

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        if RollingRequest not in types:
            raise incompatible(
                setting.task, self.name, "gives the probability of a text", types, taught=False
            )
        return (RollingRequest(sample.target),)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        logprob = sum(response.logprob for response in responses if isinstance(response, RollingResponse))
        words, size = count_words(sample.target), count_bytes(sample.target)
        values = {
            "word_perplexity": [logprob, words],
            "byte_perplexity": [logprob, size],
            "bits_per_byte": [logprob, size],
        }
        return Grade("", values)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return Example("", sample.target, sample.head_text or sample.target, sample.target)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return None
