"""The answers of a run as pages list and show them. They have numbers from 1, in the order of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tianti.board.snapshot import RecordedRun
from tianti.evaluation.answer import Answer
from tianti.web.extent import Extent
from tianti.web.marking import Marking
from tianti.web.runs import ShownAnswer, flat, shown

KINDS = ("all", "right", "wrong", "other", "error", "skipped")
START = 160
"""Characters of a prompt or an answer in a list."""
LONGEST_SAMPLE = 40_000
"""Characters of a prompt or an answer on its own page."""


@dataclass(frozen=True)
class Listing:
    """The answers of a run that are listed, and the numbers of those of each kind. The first `paged` have pages of
    their own; `total` counts all."""

    answers: Sequence[Answer]
    marking: Marking
    numbers: Mapping[str, Sequence[int]]
    paged: int
    total: int

    def starts(self, numbers: Sequence[int]) -> list[tuple[int, str, ShownAnswer]]:
        """(number, kind, beginning) of these answers."""
        found = []
        for number in numbers:
            answer = self.answers[number - 1]
            found.append((number, kind_of(answer, self.marking), shown(answer, self.marking, START)))
        return found


def listing(answers: Sequence[Answer], marking: Marking, extent: Extent) -> Listing:
    """The first answers, sorted into kinds; kinds without any are left out."""
    kept = answers[: extent.listed]
    kinds = [kind_of(answer, marking) for answer in kept]
    numbers = {
        kind: [number for number, each in enumerate(kinds, 1) if kind in ("all", each)] for kind in KINDS
    }
    known = {kind: own for kind, own in numbers.items() if own}
    return Listing(kept, marking, known, len(kept[: extent.samples]), len(answers))


def kind_of(answer: Answer, marking: Marking) -> str:
    """`right`, `wrong` or `other`, which is neither; `error` and `skipped` as they are."""
    return marking.verdict(answer) if answer.state == "ok" else answer.state


def responses_of(answer: Answer) -> list[tuple[str, str]]:
    """What else the model gave back, as (name, text): a thought, tags, the place of a span, token by token."""
    found = []
    several = len(answer.responses) > 1
    for number, response in enumerate(answer.responses, 1):
        said = {key: value for key, value in response.items() if key not in ("logprobs", "text", "thought")}
        prefix = f"{number}." if several else ""
        found += list(flat(said, prefix))
    return found


def thoughts_of(answer: Answer) -> list[str]:
    """What was written before the answer."""
    return [str(each["thought"]) for each in answer.responses if each.get("thought")]


@dataclass(frozen=True)
class Marked:
    """A token of the text: `gap` stands before it, `shade` is its weight beside the largest, from −5 to 5."""

    gap: str
    text: str
    weight: float
    shade: int


@dataclass(frozen=True)
class Shown:
    """An explanation as a page shows it; see tianti.evaluation.attribution."""

    method: str
    answer: str
    score: float
    baseline: float
    delta: float
    steps: int
    tokens: Sequence[Marked]

    @property
    def heaviest(self) -> list[Marked]:
        """The tokens, those with the largest weights first."""
        return sorted(self.tokens, key=lambda token: -abs(token.weight))


def explanation_of(recorded: RecordedRun, answer: Answer) -> Shown | None:
    """Why the answer was given, where that was found."""
    for each in recorded.explanations:
        if (each.sample_id, each.repeat) == (answer.sample_id, answer.repeat):
            return _shown(each.found)
    return None


def _shown(found: Mapping[str, Any]) -> Shown:
    tokens = found["tokens"]
    largest = max((abs(token["weight"]) for token in tokens), default=0.0) or 1.0
    marked, end = [], None
    for token in tokens:
        gap = " " if end is not None and token["start"] > end else ""
        marked.append(Marked(gap, token["text"], token["weight"], round(5 * token["weight"] / largest)))
        end = token["end"]
    return Shown(
        found["method"],
        found["answer"],
        found["score"],
        found["baseline"],
        found["delta"],
        found["steps"],
        marked,
    )
