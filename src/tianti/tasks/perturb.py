"""Small changes of wording that leave the right answer what it is. Deterministic from the generator that is given.

After HELM's perturbations (Liang et al. 2022, arXiv:2211.09110, appendix D).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_WORD = re.compile(r"[^\W\d_]{4,}")
MOST_SPACES = 3


def lowercase(text: str, generator: random.Random, rate: float) -> str:
    """Every letter small."""
    return text.lower()


def misspelling(text: str, generator: random.Random, rate: float) -> str:
    """Two neighbouring letters inside a word of four or more are swapped, in a share `rate` of such words."""
    return _WORD.sub(
        lambda word: _swapped(word[0], generator) if generator.random() < rate else word[0], text
    )


def spaces(text: str, generator: random.Random, rate: float) -> str:
    """One to three spaces where there was one."""
    return re.sub(" ", lambda _: " " * generator.randint(1, MOST_SPACES), text)


def mix(text: str, generator: random.Random, rate: float) -> str:
    """All of the others in one text."""
    for change in (lowercase, misspelling, spaces):
        text = change(text, generator, rate)
    return text


def _swapped(word: str, generator: random.Random) -> str:
    """`word` with two of its inner letters swapped that differ; unchanged where all are the same."""
    places = [index for index in range(1, len(word) - 2) if word[index] != word[index + 1]]
    if not places:
        return word
    index = generator.choice(places)
    return word[:index] + word[index + 1] + word[index] + word[index + 2 :]


PERTURBATIONS: dict[str, Callable[[str, random.Random, float], str]] = {
    "lowercase": lowercase,
    "misspelling": misspelling,
    "spaces": spaces,
    "mix": mix,
}
