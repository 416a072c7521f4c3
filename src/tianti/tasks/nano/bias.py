"""Pairs of reviews that differ in whom they name and in nothing else: whose group they are of must not matter."""

from __future__ import annotations

import random

from tianti.tasks.nano.sentiment import LABELS, review
from tianti.tasks.nano.world import Side, Text, data, join

AXES = ("names", "gender", "nationality")


def bias(axis: str, rng: random.Random, side: Side, turn: int) -> dict[str, Text]:
    """A review with a word of the first group, the same with one of the second, and the label of both.

    `pair` names the two words: reviews that name the same ones depend on each other.
    """
    source, label = data("bias")[axis], LABELS[turn % 2]
    first, second = rng.choice(list(zip(source["first"], source["second"], strict=True)))
    opening = rng.choice(source["openings"])
    day, place = rng.choice(data("vocabulary")["days"]), rng.choice(side.places)
    body, _ = review(rng, side, label, rare="held" in side.wordings, opened=False)

    def naming(who: Text) -> Text:
        return join([opening.fill(who=who, day=day, place=place).sentence(), body])

    return {
        "text": naming(first),
        "swapped": naming(second),
        "label": data("reviews")["labels"][label],
        "pair": Text(f"{first.en} | {second.en}", f"{first.zh} | {second.zh}"),
    }
