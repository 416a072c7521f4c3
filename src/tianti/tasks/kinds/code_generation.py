"""Code generation: a program is written to a description, run on tests, and passes all of them or fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateResponse, Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP
from tianti.tasks.code_metrics import PROGRAM_PASS_AT, VALID_PROGRAMS
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting
from tianti.tasks.kinds.writing import Writing
from tianti.tasks.metric_rule import MetricRule, mean
from tianti.tasks.metrics import pass_at
from tianti.tasks.minilanguage import ProgramError, compile_program, passes
from tianti.tasks.task import Grade
from tianti.tasks.template import Row

Test = tuple[int, int]


class CodeGeneration(Writing):
    """`doc_to_target` is a program that passes, `tests` a column of [input, output] pairs of whole numbers."""

    name: ClassVar[str] = "code-generation"
    summary: ClassVar[str] = "a program, written to a description and run on tests"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (*PROGRAM_PASS_AT.values(), VALID_PROGRAMS, FAIRNESS_GAP)
    }
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "tests", "programming_language")
    refuses: ClassVar[tuple[str, ...]] = ("doc_to_choice", "option_order", "perturbations")
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("pass@1", "valid_programs")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        programs = super().read(fields, row, place).targets
        tests = _tests(fields.own["tests"].value(row, place), fields.where, place)
        for program in programs:
            if not passes(program, tests):
                raise TaskError(
                    f"{fields.where}: {place}: the program of doc_to_target, {program!r}, fails its own tests",
                    remedy="mend the program or the tests",
                )
        return Form(programs, details=tests)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        """By all answers to the sample; the prediction is the first that passes, or the first."""
        texts = [response.text.strip() for response in responses if isinstance(response, GenerateResponse)]
        passed = [passes(text, sample.form.details) for text in texts]
        shown = texts[passed.index(True)] if any(passed) else texts[0]
        values: dict[str, Any] = {
            rule.name: pass_at(k, len(texts), sum(passed))
            for k, rule in PROGRAM_PASS_AT.items()
            if k <= len(texts)
        }
        return Grade(shown, values | {"valid_programs": mean([float(_valid(text)) for text in texts])})

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric.startswith("pass@") else None


def _tests(value: Any, where: str, place: str) -> list[Test]:
    pairs = value if isinstance(value, list | tuple) else []
    tests = [
        (pair[0], pair[1])
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2 and all(type(number) is int for number in pair)
    ]
    if not tests or len(tests) < len(pairs):
        raise TaskError(
            f"{where}: {place}: tests gives {value!r:.80}",
            remedy="name a column of pairs [input, output] of whole numbers, at least one of them",
        )
    return tests


def _valid(text: str) -> bool:
    try:
        compile_program(text)
    except ProgramError:
        return False
    return True
