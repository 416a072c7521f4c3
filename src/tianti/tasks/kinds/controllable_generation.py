"""Controllable generation: a text that must keep constraints, each of which a program can check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import Response
from tianti.tasks.aspect_metrics import FAIRNESS_GAP
from tianti.tasks.constraint_metrics import CONSTRAINT_METRICS, Check, constraint_values
from tianti.tasks.instructions import INSTRUCTIONS
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting
from tianti.tasks.kinds.writing import Writing, written
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import UNSPACED_LANGUAGES
from tianti.tasks.summary_metrics import words
from tianti.tasks.task import Grade
from tianti.tasks.template import Row
from tianti.tasks.text_classifier import fit_classifier

SENTIMENT = "sentiment"


@dataclass(frozen=True)
class Constraint:
    """One thing that the text must do, by the name of its rule."""

    name: str
    argument: Any


class ControllableGeneration(Writing):
    """`constraints` names the columns of what a text must keep; `doc_to_target` is one that keeps all, or empty."""

    name: ClassVar[str] = "controllable-generation"
    summary: ClassVar[str] = "a text that must keep constraints, each of them checked"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (*CONSTRAINT_METRICS, FAIRNESS_GAP)
    }
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "constraints")
    refuses: ClassVar[tuple[str, ...]] = (*Writing.refuses, "perturbations")
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("all_kept", "share_kept")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        found = read_constraints(fields, row, place)
        text = str(fields.target) if isinstance(fields.target, int) else fields.target.text(row, place)
        return Form((text,), details=tuple(found))

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        text = written(responses[0])
        checks = [_check(constraint, setting) for constraint in sample.form.details]
        return Grade(text, dict(constraint_values(text, checks)))

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return None

    def learn(self, samples: Sequence[Sample], language: str) -> Callable[[str], str] | None:
        """The judge of sentiment: the standard classifier, fitted on the texts of the training split."""
        known = [
            (sample.target, constraint.argument)
            for sample in samples
            for constraint in sample.form.details
            if constraint.name == SENTIMENT and sample.target
        ]
        if not known:
            return None
        classify = fit_classifier([text for text, _ in known], [label for _, label in known], language)
        return lambda text: classify([text])[0]


def read_constraints(fields: Fields, row: Row, place: str) -> list[Constraint]:
    """The constraints of one row, at least one.

    Raises:
        TaskError: a value of the wrong type, an unknown instruction, or nothing to keep.
    """
    value = {key.removeprefix("constraints."): field.value(row, place) for key, field in fields.own.items()}
    where = f"{fields.where}: {place}"
    found = [Constraint("keyword", str(word)) for word in _list(value.get("keywords"), "keywords", where)]
    if value.get("at_most") is not None:
        limit = value["at_most"]
        if not isinstance(limit, int | str) or not str(limit).isdecimal():
            raise TaskError(f"{where}: constraints: at_most gives {limit!r}", remedy="give a whole number")
        found.append(Constraint("at_most", int(limit)))
    if value.get(SENTIMENT) is not None:
        found.append(Constraint(SENTIMENT, str(value[SENTIMENT])))
    names = _list(value.get("instructions"), "instructions", where)
    arguments = _list(value.get("arguments"), "arguments", where) or [{}] * len(names)
    if len(arguments) != len(names):
        raise TaskError(
            f"{where}: {len(names)} instructions and arguments for {len(arguments)}",
            remedy="give one for each",
        )
    for name, given in zip(names, arguments, strict=True):
        if name not in INSTRUCTIONS:
            raise TaskError(
                f"{where}: unknown instruction {name!r}", remedy=f"one of {', '.join(INSTRUCTIONS)}"
            )
        found.append(Constraint(name, {key: each for key, each in given.items() if each is not None}))
    if not found:
        raise TaskError(f"{where}: has no constraint to keep", remedy="leave the row out")
    return found


def _list(value: Any, key: str, where: str) -> list[Any]:
    if value is not None and not isinstance(value, list | tuple):
        raise TaskError(f"{where}: constraints: {key} gives {value!r:.60}", remedy="name a column of lists")
    return list(value or ())


def _check(constraint: Constraint, setting: Setting) -> Check:
    argument, language = constraint.argument, setting.language
    match constraint.name:
        case "keyword":
            return partial(has_words, part=argument, language=language)
        case "at_most":
            return lambda text: text_length(text, language) <= argument
        case "sentiment":
            judge = setting.learned
            if judge is None:
                raise TaskError(
                    f"{setting.task}: sentiment is judged by what the training split shows, and it has no text for it",
                    remedy="give doc_to_target in the training split, or leave sentiment out of constraints",
                )
            return lambda text: bool(judge(text) == argument)
    rule = INSTRUCTIONS[constraint.name]
    return lambda text: bool(rule(text, argument))


def has_words(text: str, part: str, language: str) -> bool:
    """Whether the words of `part` stand side by side in the text, in any case."""
    found, wanted = words(text, language), words(part, language)
    return any(found[start : start + len(wanted)] == wanted for start in range(len(found) - len(wanted) + 1))


def text_length(text: str, language: str) -> int:
    """In words between spaces; in characters without spaces for languages that write none between words."""
    pieces = text.split()
    return sum(map(len, pieces)) if language in UNSPACED_LANGUAGES else len(pieces)
