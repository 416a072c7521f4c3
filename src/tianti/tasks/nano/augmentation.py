"""Episodes of the sentiment task: a few reviews of each label, to write more like them, and others to judge by."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.sentiment import LABELS, sentiment
from tianti.tasks.nano.world import Side, Text, data

SEEDS, EVALUATED = 4, 40  # reviews per label to start from; reviews to judge by, of both labels


def augmentation(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    seen: set[Text] = set()

    def drawn(count: int) -> list[dict[str, Any]]:
        reviews = [_another(rng, side, LABELS[index % 2], seen) for index in range(count)]
        rng.shuffle(reviews)
        return reviews

    labels = [data("reviews")["labels"][label] for label in LABELS]
    return {"seeds": drawn(SEEDS * len(LABELS)), "evaluation": drawn(EVALUATED), "labels": labels}


def _another(rng: random.Random, side: Side, label: str, seen: set[Text]) -> dict[str, Any]:
    """A review that the episode does not have yet."""
    while (review := sentiment(rng, side, label))["text"] in seen:
        pass
    seen.add(review["text"])
    return dict(review)
