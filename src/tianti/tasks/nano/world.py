"""The town: parallel words, and who and what may be named on which side of the split.

Whatever is random has a generator of its own, seeded by the sha256 of what it is for, so that nothing
depends on what was generated before. Names and places are held out by their hash, hence under every seed:
no text for pre-training names a person or a place of the tests.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml

from tianti.core.seeds import derived_random

T = TypeVar("T")


class _English(str):
    """A word that knows its article: `"{x:a}"` formats `apple` as `an apple`."""

    def __format__(self, spec: str) -> str:
        if spec != "a":
            return format(str(self), spec)
        return f"{'an' if self[0].lower() in 'aeiou' else 'a'} {self}"


@dataclass(frozen=True, order=True)
class Text:
    """The same text in English and in Chinese; filling and joining act on both, which keeps them parallel."""

    en: str
    zh: str

    def fill(self, **slots: Text) -> Text:
        english = self.en.format(**{key: _English(slot.en) for key, slot in slots.items()})
        return Text(english, self.zh.format(**{key: slot.zh for key, slot in slots.items()}))

    def sentence(self) -> Text:
        """With a capital at its start, where the language has capitals."""
        return Text(self.en[:1].upper() + self.en[1:], self.zh)

    def within(self, language: str) -> str:
        return {"en": self.en, "zh": self.zh}[language]


def join(texts: Iterable[Text], en: str = " ", zh: str = "") -> Text:
    parts = list(texts)
    return Text(en.join(part.en for part in parts), zh.join(part.zh for part in parts))


def share(*key: str) -> float:
    """A fixed number in [0, 1) for a key: it decides on which side of a split something falls."""
    return derived_random(*key).random()


@cache
def data(name: str) -> Any:
    """The YAML file of that name beside this module, each `English / 中文` in it as a Text."""
    return _parallel(yaml.safe_load(files(__package__).joinpath(f"{name}.yaml").read_text("utf-8")))


def _parallel(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _parallel(value) for key, value in node.items()}
    if isinstance(node, list):
        return tuple(_parallel(value) for value in node)
    if isinstance(node, str) and " / " in node:
        return Text(*node.split(" / "))
    return node


@dataclass(frozen=True)
class Side:
    """What one side of the split may draw on: its people, places and organisations, and the groups of wordings.

    `low` and `high` bound the hashes of what is its own (see `share`).
    """

    names: tuple[Text, ...]
    places: tuple[Text, ...]
    organisations: tuple[Text, ...]
    wordings: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0

    def owns(self, *key: str) -> bool:
        """Whether what has this key falls on this side."""
        return self.low <= share(*key) < self.high

    def wording(self, rng: random.Random, groups: Mapping[str, Sequence[Text]]) -> Text:
        """One wording of the groups that this side may use; groups weigh the same, however long they are."""
        return rng.choice(groups[rng.choice([group for group in self.wordings if group in groups])])

    def plain(self) -> Side:
        """This side, mostly with the known wordings: for the parts of a text that is itself of this side's own."""
        own = tuple(group for group in self.wordings if group != "known")
        return replace(self, wordings=("known",) * (2 * len(own) or 1) + own)


SPLITS = {"train": 256, "validation": 100, "test": 200, "fresh": 200}
_POOLS = {"known": (0.0, 0.55), "validation": (0.55, 0.65), "test": (0.65, 0.83), "fresh": (0.83, 1.0)}
_WORDINGS = {"documents": ("known",), "train": ("known", "taught"), "validation": ("taught",)}
_TESTED = ("taught", "taught", "held")


@cache
def side(name: str) -> Side:
    """The side of a split, or of `documents`, which shares its names with `train`."""
    low, high = _POOLS.get(name, _POOLS["known"])

    def drawn(pool: Iterable[Text]) -> tuple[Text, ...]:
        return tuple(text for text in pool if low <= share("pool", text.en) < high)

    words = data("vocabulary")
    names = (
        Text(first.en + last.en, first.zh + last.zh)
        for first in words["names"]["first"]
        for last in words["names"]["last"]
    )
    places = (
        Text(f"{mark.en} {kind.en}", mark.zh + kind.zh)
        for mark in words["places"]["mark"]
        for kind in words["places"]["kind"]
    )
    organisations = (
        Text(f"{mark.en} {kind.en}", mark.zh + kind.zh)
        for mark in words["places"]["mark"]
        for kind in words["organisations"]["kind"]
        if mark.en != "Silver"
    )
    wordings = _WORDINGS.get(name, _TESTED)
    return Side(drawn(names), drawn(places), drawn(organisations), wordings, low, high)


def other_than(rng: random.Random, pool: Sequence[T], *taken: T) -> T:
    """One of the pool that is none of those taken."""
    return rng.choice([item for item in pool if item not in taken])
