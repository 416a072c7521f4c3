"""Multiple choice: each sample brings its own choices, one of which is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tianti.engine import Request, Response
from tianti.tasks.aspect_metrics import ORDER
from tianti.tasks.kinds.choosing import ACCURACY_ASPECTS, chance_of, choice_requests, grade_choices
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, prompted_example, read_choices, read_label
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import ACC, ACC_BYTES, ACC_NORM
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row


class MultipleChoice:
    """The choices are `doc_to_choice`: a column of lists, a template that prints a list, or a list."""

    name: ClassVar[str] = "multiple-choice"
    summary: ClassVar[str] = "a question and its own choices, one of them right"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (ACC, ACC_NORM, ACC_BYTES, *ACCURACY_ASPECTS, *ORDER)
    }
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "doc_to_choice")
    refuses: ClassVar[tuple[str, ...]] = ("generation_kwargs", "thinking", "repeats")
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("acc", "acc_norm")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        choices = read_choices(fields.choices, row, place, fields.where)
        label = read_label(fields, choices, row, place)
        return Form((choices[label],), choices, label)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        return choice_requests(prompt, sample, setting, types, self.name)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        return grade_choices(sample, responses)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return chance_of(metric, samples)
