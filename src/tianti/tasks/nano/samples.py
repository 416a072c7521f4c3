"""The samples of the kinds of task, as they would stand in a user's JSONL file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tianti.core.exceptions import UnknownNameError
from tianti.core.seeds import derived_random
from tianti.tasks.nano.commonsense import commonsense
from tianti.tasks.nano.kinds import WRITERS
from tianti.tasks.nano.qa import qa
from tianti.tasks.nano.sentiment import LABELS, sentiment
from tianti.tasks.nano.world import SPLITS, Side, Text, side

KINDS = ("sentiment", "commonsense", "qa", *WRITERS)
LANGUAGES = ("en", "zh")
PUBLIC_SEED = 20260101


def samples(kind: str, language: str, split: str, seed: int = PUBLIC_SEED) -> list[dict[str, Any]]:
    """The samples of a split.

    `fresh` is a second test set, of the same kind of people, places and wordings, drawn from a seed of its own.
    """
    for what, name, valid in (
        ("kind", kind, KINDS),
        ("language", language, LANGUAGES),
        ("split", split, SPLITS),
    ):
        if name not in valid:
            raise UnknownNameError(what, name, valid, where="nano world")
    rows = (_row(kind, sample, language) for sample in _samples(kind, split, seed))
    return [{"id": f"{kind}-{language}-{split}-{index}", **row} for index, row in enumerate(rows)]


@lru_cache(maxsize=64)
def _samples(kind: str, split: str, seed: int) -> tuple[dict[str, Any], ...]:
    seen: set[str] = set()
    return tuple(_distinct(kind, split, seed, index, seen) for index in range(size(kind, split)))


def size(kind: str, split: str) -> int:
    """How many samples a split of a kind has."""
    return (WRITERS[kind].size if kind in WRITERS else None) or SPLITS[split]


def turns(kind: str) -> int:
    """How many labels, or positions of the right choice, the samples of a kind take turns with."""
    return WRITERS[kind].turns if kind in WRITERS else 4


def _distinct(kind: str, split: str, seed: int, index: int, seen: set[str]) -> dict[str, Any]:
    """Sample `index`, drawn again when it equals one before it in either language.

    A commonsense sample is drawn again, too, until its right choice has the place that it shall have among the four by
    length: a model that knows nothing prefers short texts, and would not stand at chance if the shortest were seldom
    right.
    """
    place = derived_random(seed, kind, split, "length", index).randrange(4)
    for sample in _draws(kind, split, seed, index):
        shown = {str(_row(kind, sample, language)) for language in LANGUAGES}
        if not shown & seen and (kind != "commonsense" or _has_place(sample, place)):
            seen |= shown
            return sample
    raise AssertionError("the draws never end")


def _has_place(sample: dict[str, Any], place: int) -> bool:
    """Whether the right choice can stand at `place` (from 0) when the choices are ordered by their English length."""
    lengths = [len(choice.en) for choice in sample["choices"]]
    right = lengths[sample["answer"]]
    shorter, no_longer = sum(length < right for length in lengths), sum(length <= right for length in lengths)
    return bool(shorter <= place < no_longer)


def _draws(kind: str, split: str, seed: int, index: int) -> Iterator[dict[str, Any]]:
    attempt = 0
    while True:
        yield draw(
            kind,
            derived_random(seed, kind, split, index, attempt),
            side(split),
            _turn(kind, split, seed, index),
            split != "train",
        )
        attempt += 1


def draw(kind: str, rng: random.Random, who: Side, turn: int, all_facts: bool = True) -> dict[str, Any]:
    """One sample, of parallel texts; `turn`, from 0 on, gives the label or the position of the right choice."""
    if kind in WRITERS:
        return WRITERS[kind].draw(rng, who, turn)
    if kind == "sentiment":
        return sentiment(rng, who, LABELS[turn % 2])
    if kind == "commonsense":
        return commonsense(rng, who, turn, all_facts)
    return qa(rng, who)


def _turn(kind: str, split: str, seed: int, index: int) -> int:
    """Samples in a row have each turn once, in an order of their own: labels and positions are balanced."""
    many = turns(kind)
    block, place = divmod(index, many)
    return derived_random(seed, kind, split, "block", block).sample(range(many), many)[place]


def _row(kind: str, sample: dict[str, Any], language: str) -> dict[str, Any]:
    """The sample in one language."""
    row = {key: _within(value, language) for key, value in sample.items()}
    if kind == "qa":
        row["answers"] = [row.pop("answer")]
    return WRITERS[kind].finish(row, language) if kind in WRITERS else row


def _within(value: Any, language: str) -> Any:
    if isinstance(value, Text):
        return value.within(language)
    if isinstance(value, dict):
        return {_within(key, language): _within(item, language) for key, item in value.items()}
    return [_within(item, language) for item in value] if isinstance(value, list) else value
