"""A task whose splits are given, for tests that need no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tianti.core.exceptions import IncompatibleError
from tianti.core.fingerprint import fingerprint
from tianti.engine import ChooseRequest, GenerateRequest, Request, ScoreRequest, SpanRequest, TagRequest
from tianti.tasks.task import Example, Grade, Metric, Question, Shots, TaskInfo


@dataclass
class StubTask:
    """A task whose splits are given; it asks the form of question that the backend can answer."""

    train: list[Example]
    validation: list[Example] = field(default_factory=list)
    kind: str = "classification"
    name: str = "stub"
    language: str = "en"
    metrics: tuple[Metric, ...] = (Metric("acc", lambda values: sum(values) / len(values)),)

    @property
    def info(self) -> TaskInfo:
        return TaskInfo(self.name, self.kind, self.language)

    @property
    def fingerprint(self) -> str:
        return fingerprint([example.context + example.continuation for example in self.train])

    def count(self, limit: int | None = None) -> int:
        return len(self.train[:limit])

    def questions(self, shots: Shots, types: frozenset[type], limit: int | None = None) -> Iterator[Question]:
        for index, example in enumerate(self.train[:limit]):
            yield Question(
                str(index), tuple(self.ask(example, types)), example.context, example.target, example
            )

    def ask(self, example: Example, types: frozenset[type]) -> list[Request]:
        if example.tags and TagRequest in types:
            return [TagRequest(example.text, example.words, example.choices)]
        if example.passage and SpanRequest in types:
            return [SpanRequest(example.text, example.passage)]
        if not example.choices and GenerateRequest in types:
            return [GenerateRequest(example.context, ("\n",), 8)]
        if ScoreRequest in types:
            return [ScoreRequest(example.context, f" {choice}") for choice in example.choices]
        if ChooseRequest in types:
            return [ChooseRequest(example.text, example.choices)]
        raise IncompatibleError("nothing to ask")

    def grade(self, question: Question, responses: Sequence[Any]) -> Grade:
        example = question.sample
        if example.tags or example.passage:
            right = responses[0].tags == example.tags if example.tags else responses[0].text == example.target
            return Grade("", {"acc": float(right)})
        return Grade(str(best(responses)), {"acc": float(best(responses) == question.sample.label)})

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        return self.train if split == "train" else self.validation


def best(responses: Sequence[Any]) -> int:
    """The index of the choice with the highest log-probability."""
    scores = [r.logprob for r in responses] if len(responses) > 1 else responses[0].logprobs
    return max(range(len(scores)), key=scores.__getitem__)
