"""Named entities: from tags to spans, and from spans to an answer in words and back.

Tags are IOB2: `B-type` begins an entity, `I-type` goes on with one of the same type, `O` is outside. Read strictly, an
`I-type` that goes on with nothing belongs to no entity (seqeval's `mode="strict", scheme=IOB2`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OUTSIDE = "O"

Words = Sequence[tuple[int, int]]
"""The characters of each word in a text, [start, end)."""


@dataclass(frozen=True, order=True)
class Entity:
    """The words from `first` to `last` (inclusive) of one type."""

    first: int
    last: int
    type: str


@dataclass(frozen=True)
class Wording:
    """How entities are written as an answer: `Mira: person; Amber Lane: place`."""

    of: str
    between: str
    none: str


_ENGLISH = Wording(": ", "; ", "none")
_CHINESE = Wording("：", "；", "无")


def wording(language: str) -> Wording:
    """Chinese has signs of its own; every other language is written as English is."""
    return _CHINESE if language.startswith("zh") else _ENGLISH


def tag_set(types: Sequence[str]) -> tuple[str, ...]:
    """All tags of these types, in a fixed order."""
    return (OUTSIDE, *(f"{place}-{name}" for name in types for place in "BI"))


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """The entities that the tags mark, in the order of the text."""
    found: list[Entity] = []
    going_on = ""
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if mark == "B":
            found.append(Entity(place, place, kind))
            going_on = kind
        elif mark == "I" and kind == going_on and going_on:
            found[-1] = Entity(found[-1].first, place, kind)
        else:
            going_on = ""
    return found


def write_entities(
    entities: Sequence[Entity], text: str, words: Words, names: Mapping[str, str], language: str
) -> str:
    """The entities as an answer in words, in the order of the text; one that occurs again is named once."""
    style = wording(language)
    pieces = dict.fromkeys(
        text[words[each.first][0] : words[each.last][1]] + style.of + names[each.type] for each in entities
    )
    return style.between.join(pieces) or style.none


@dataclass(frozen=True)
class Named:
    """What an answer names: entities that stand in the text, and how many mentions that do not, or have no known
    type."""

    entities: tuple[Entity, ...]
    unplaced: int


def read_entities(answer: str, text: str, words: Words, names: Mapping[str, str]) -> Named:
    """The entities that an answer in words names.

    A mention stands for all places, from word to word, where it occurs; a longer one takes its places first, and what
    is named twice counts once. What has no place is counted: it was claimed and is wrong.
    """
    kinds = {name: kind for kind, name in names.items()}
    first_words = {start: number for number, (start, _) in enumerate(words)}
    last_words = {end: number for number, (_, end) in enumerate(words)}
    taken: set[int] = set()
    found: list[Entity] = []
    unplaced = 0
    for mention, kind in sorted(
        dict.fromkeys(_split(piece, kinds) for piece in _pieces(answer)), key=_length
    ):
        spans = _places(mention, text, first_words, last_words) if kind else []
        free = [span for span in spans if not taken & set(range(span[0], span[1] + 1))]
        unplaced += not free
        for first, last in free:
            taken.update(range(first, last + 1))
            found.append(Entity(first, last, kind))
    return Named(tuple(sorted(found)), unplaced)


def _length(named: tuple[str, str]) -> int:
    return -len(named[0])


def _pieces(answer: str) -> list[str]:
    pieces = [piece.strip() for piece in re.split("[;；]", answer)]
    nothing = {style.none for style in (_ENGLISH, _CHINESE)}
    return [piece for piece in pieces if piece and piece not in nothing]


def _split(piece: str, kinds: Mapping[str, str]) -> tuple[str, str]:
    """Mention and type; the type is empty where it is none of those known."""
    match = re.fullmatch(r"(.*)[:：](.*)", piece, re.DOTALL)  # the last colon: a mention may have one
    if match is None:
        return piece, ""
    return match[1].strip(), kinds.get(match[2].strip(), "")


def _places(
    mention: str, text: str, first_words: Mapping[int, int], last_words: Mapping[int, int]
) -> list[tuple[int, int]]:
    """The first and last word of each place where a mention stands; places do not overlap."""
    found = []
    start = text.find(mention) if mention else -1
    while start >= 0:
        first, last = first_words.get(start), last_words.get(start + len(mention))
        there = first is not None and last is not None
        if first is not None and last is not None:
            found.append((first, last))
        start = text.find(mention, start + (len(mention) if there else 1))
    return found


def locate_words(words: Sequence[str], text: str) -> tuple[tuple[int, int], ...] | None:
    """Where each word stands in the text, one after the other; None where one of them does not."""
    places, end = [], 0
    for word in words:
        start = text.find(word, end)
        if start < 0 or not word:
            return None
        end = start + len(word)
        places.append((start, end))
    return tuple(places)
