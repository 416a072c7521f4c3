"""Extractive question answering: the answer is a part of a passage; a head marks it, a language model writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateRequest, GenerateResponse, Request, Response, SpanRequest, SpanResponse
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible
from tianti.tasks.kinds.question_answering import QuestionAnswering
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row


class ExtractiveQuestionAnswering(QuestionAnswering):
    """A head reads `head_text`, the question, and `passage`. Graded as any short answer, by SQuAD's rules.

    The first right answer is the one to learn. It stands at `answer_start` (characters from 0), or where it first
    occurs in the passage; where it does not occur, a head cannot learn the sample.
    """

    name: ClassVar[str] = "extractive-question-answering"
    summary: ClassVar[str] = "an answer that stands in a passage"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        name: rule for name, rule in QuestionAnswering.metrics.items() if rule.needs != "perturbations"
    }
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "head_text", "passage")
    refuses: ClassVar[tuple[str, ...]] = (*QuestionAnswering.refuses, "perturbations")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        form = super().read(fields, row, place)
        passage = fields.passage.text(row, place) if fields.passage else ""
        return replace(form, passage=passage, span=_span(fields, form.targets[0], passage, row, place))

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        if GenerateRequest in types:
            return (replace(setting.generation, context=prompt),)
        if SpanRequest in types:
            return (SpanRequest(sample.head_text, sample.form.passage),)
        raise incompatible(setting.task, self.name, "writes text or marks a span", types)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        written = [
            GenerateResponse(response.text) if isinstance(response, SpanResponse) else response
            for response in responses
        ]
        return super().grade(sample, written, setting)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return replace(super().example(sample, setting), passage=sample.form.passage, span=sample.form.span)


def _span(fields: Fields, answer: str, passage: str, row: Row, place: str) -> tuple[int, int] | None:
    """The characters of the answer in the passage; TaskError where it does not stand where the data says."""
    if fields.answer_start is None:
        start = passage.find(answer)
        return (start, start + len(answer)) if start >= 0 else None
    value = fields.answer_start.parsed(row, place)
    value = value[0] if isinstance(value, list | tuple) and value else value
    start = int(value) if isinstance(value, str) and value.isdecimal() else value
    if not isinstance(start, int) or passage[start : start + len(answer)] != answer:
        found = passage[start : start + len(answer)] if isinstance(start, int) else value
        raise TaskError(
            f"{fields.where}: {place}: at answer_start stands {found!r:.60}, expected the answer {answer!r:.60}",
            remedy="count characters of the passage from 0, or leave answer_start out to take the first occurrence",
        )
    return start, start + len(answer)
