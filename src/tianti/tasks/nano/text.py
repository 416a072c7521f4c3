"""The text for pre-training: an endless stream of short documents, English and Chinese in turn.

Most are plain narrative, reviews, talk and lists. A minority (`PROMPTED`, `ORDERED`) shows samples, with the names
and wordings of the documents' side, in the very prompts of the library's tasks: alone, or several in a row, from
which a model learns to learn from examples. English and Chinese stand in one document only where one translates
the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import count

from tianti.core.seeds import derived_random
from tianti.tasks.nano.drills import claims, dictionary, lists, orders, parallel, summed_up, sums
from tianti.tasks.nano.prompts import ordered, prompted
from tianti.tasks.nano.prose import guestbook, ledger, lore, memoir, quiz, roll, story, talk
from tianti.tasks.nano.samples import LANGUAGES
from tianti.tasks.nano.world import Side, Text, side


def documents(seed: int, start: int = 0) -> Iterator[str]:
    """The documents from number `start` on.

    The first `PRIMER` are a primer, in which lists to be learnt by heart give way to everything else: to look up what
    came before is what a small model must learn first, and from lists it learns it soonest.
    """
    return (document(seed, index) for index in count(start))


def document(seed: int, index: int) -> str:
    rng = derived_random(seed, "documents", index)
    left = max(0.0, 1 - index / PRIMER)
    weights = [weight + left * RECITED.get(write, 0.0) for write, weight in KINDS_OF_TEXT.items()]
    write = rng.choices(list(KINDS_OF_TEXT), weights)[0]
    return write(rng, side("documents")).within(LANGUAGES[index % 2])


# Shares of the kinds of text, by documents.
PROMPTED, ORDERED = 0.18, 0.4
KINDS_OF_TEXT: dict[Callable[[random.Random, Side], Text], float] = {
    story: 0.03,
    lore: 0.12,
    memoir: 0.03,
    guestbook: 0.13,
    talk: 0.16,
    roll: 0.1,
    quiz: 0.08,
    ledger: 0.2,
    prompted: PROMPTED,
    ordered: ORDERED,
    dictionary: 0.05,
    parallel: 0.05,
    sums: 0.05,
    claims: 0.03,
    lists: 0.03,
    orders: 0.02,
    summed_up: 0.03,
}

PRIMER = 8_000
RECITED: dict[Callable[[random.Random, Side], Text], float] = {roll: 3.0, ledger: 1.5}
