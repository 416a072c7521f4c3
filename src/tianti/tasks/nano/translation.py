"""Short sentences of the town and their translation."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.qa import Statement, values
from tianti.tasks.nano.world import Side, Text, data, join

TWO = 0.2  # share of the samples with two sentences


def translation(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    source = join([_sentence(rng, side.plain()) for _ in range(2 if rng.random() < TWO else 1)])
    return {"source": source, "target": Text(source.zh, source.en)}


def _sentence(rng: random.Random, side: Side) -> Text:
    relation = rng.choice(list(data("stories")))
    names = rng.sample(side.names, 2)
    return Statement(relation, names[0], values(rng, side, relation, 1, names)[0]).said(rng, side)
