"""Question answering: a short answer, written by the model and compared with the right ones in a normal form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateRequest, GenerateResponse, Request, Response
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible, prompted_example
from tianti.tasks.metrics import ANSWER_F1, EXACT_MATCH, MetricRule, exact_match, overlap_f1
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row


class QuestionAnswering:
    """`doc_to_target` gives one right answer or a list of them; the first is what shots and training show."""

    name: ClassVar[str] = "question-answering"
    summary: ClassVar[str] = "a short answer in the model's own words"
    metrics: ClassVar[Mapping[str, MetricRule]] = {rule.name: rule for rule in (EXACT_MATCH, ANSWER_F1)}
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text",)
    refuses: ClassVar[tuple[str, ...]] = ("doc_to_choice",)
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("exact_match", "f1")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        value = fields.target if isinstance(fields.target, int) else fields.target.parsed(row, place)
        answers = value if isinstance(value, list | tuple) else [value]
        texts = tuple(str(answer) for answer in answers if isinstance(answer, str | int | float))
        if not texts or len(texts) < len(answers) or not all(texts):
            raise TaskError(
                f"{fields.where}: {place}: doc_to_target gives {value!r}",
                remedy="give an answer, or a list of right answers, none of them empty",
            )
        return Form(texts)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        if GenerateRequest not in types:
            raise incompatible(setting.task, self.name, "writes text", types)
        return (replace(setting.generation, context=prompt),)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        prediction = "".join(
            response.text for response in responses if isinstance(response, GenerateResponse)
        )
        answers = sample.form.targets
        values = {
            "exact_match": exact_match(prediction, answers, setting.language),
            "f1": overlap_f1(prediction, answers, setting.language),
        }
        return Grade(prediction, values)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0
