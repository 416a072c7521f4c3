"""The shapes of the benchmarks: what is asked, with the lengths of well-known tasks and invented words."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from language import LETTERS, Language

from tianti.engine import GenerateRequest, ScoreRequest


@dataclass(frozen=True)
class Lengths:
    """Lengths in tokens of a shape; those of questions and choices vary around them by a third."""

    about: str
    questions: int
    shared: int
    """Tokens before every question that are the same for all."""
    question: int
    choice: int = 1
    own: int = 0
    """Tokens before a question that are its own: shots drawn for it."""
    choices: int = 4
    written: int = 0
    """The most tokens of a generated answer; 0 where choices are scored."""

    def small(self) -> Lengths:
        """A quarter of the length and a few questions, for a smoke run."""
        return replace(
            self,
            questions=max(2, self.questions // 8),
            shared=self.shared // 4,
            question=max(4, self.question // 4),
            choice=max(1, self.choice // 2),
            own=self.own // 4,
            written=self.written // 4,
        )


SHAPES = {
    "letters": Lengths("MMLU, 5 shots: letters A to D", questions=48, shared=464, question=83),
    "text": Lengths("5 fixed shots: texts as choices", questions=48, shared=315, question=34, choice=10),
    "endings": Lengths(
        "HellaSwag, 10 shots drawn per question", questions=12, shared=0, own=1000, question=40, choice=20
    ),
    "answers": Lengths("GSM8K, 5 shots: written answers", questions=24, shared=700, question=60, written=200),
    "zero-shot": Lengths(
        "no shots, short questions: texts as choices", questions=96, shared=0, question=30, choice=5
    ),
}
LINEAR = Lengths("short questions, ever more of them", questions=1000, shared=24, question=12, choice=3)

Requests = tuple[ScoreRequest, ...] | tuple[GenerateRequest, ...]


@dataclass(frozen=True)
class Shape:
    """Requests to answer, `per_question` for each question."""

    name: str
    requests: Requests
    per_question: int
    written: tuple[int, ...] = ()
    """Tokens of each answer, the one that ends it counted, where answers are generated."""

    def part(self, questions: int) -> Shape:
        """The first questions."""
        count = questions * self.per_question
        return replace(self, requests=self.requests[:count], written=self.written[:count])

    @property
    def questions(self) -> int:
        return len(self.requests) // self.per_question


def make_choices(name: str, lengths: Lengths, language: Language) -> Shape:
    """A shape in which choices are scored; those of one token are the letters."""
    draw = random.Random(name)
    shared = language.passage(draw, lengths.shared) if lengths.shared else ""
    requests: list[ScoreRequest] = []
    for question in _spread(draw, lengths.question, lengths.questions):
        own = language.passage(draw, lengths.own) if lengths.own else ""
        context = shared + own + language.passage(draw, question)
        if lengths.choice == 1:
            choices = [f" {letter}" for letter in LETTERS[: lengths.choices]]
        else:
            choices = [language.phrase(draw, n) for n in _spread(draw, lengths.choice, lengths.choices)]
        requests += [ScoreRequest(context, choice) for choice in choices]
    return Shape(name, tuple(requests), lengths.choices)


def make_prompts(lengths: Lengths, language: Language, count: int) -> list[str]:
    """Prompts of questions that are to be answered in writing."""
    draw = random.Random("prompts")
    shared = language.passage(draw, lengths.shared)
    return [shared + language.passage(draw, n) for n in _spread(draw, lengths.question, count)]


def _spread(draw: random.Random, length: int, count: int) -> list[int]:
    """Lengths spread evenly within a third of the given one, which is their mean, in any order."""
    third = length // 3
    steps = max(1, count - 1)
    lengths = [length - third + round(2 * third * step / steps) for step in range(count)]
    draw.shuffle(lengths)
    return lengths
