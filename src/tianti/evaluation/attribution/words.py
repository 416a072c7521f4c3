"""Tokens put together to words, for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def by_word(tokens: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """The words of a text, in their order, each with the sum of its tokens' weights.

    A run of letters and digits of one script with spaces is a word; where a language writes none, each token is.
    """
    found: list[tuple[str, float]] = []
    end = -1
    for token in tokens:
        text = str(token["text"])
        goes_on = token["start"] == end and found and _joins(found[-1][0][-1:]) and _joins(text[:1])
        if goes_on:
            before, weight = found.pop()
            found.append((before + text, weight + token["weight"]))
        elif text.strip():
            found.append((text.strip(), float(token["weight"])))
        elif found:
            found[-1] = (
                found[-1][0] + " ",
                found[-1][1],
            )  # a lone space ends a word and is none
        end = token["end"]
    return [(word.strip(), weight) for word, weight in found]


def _joins(character: str) -> bool:
    """Whether a character belongs to a word that is written with spaces around it."""
    return character.isalnum() and ord(character) < 0x2E80
