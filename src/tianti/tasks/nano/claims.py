"""Pairs of a passage and a claim: it is right, it is wrong, or the passage does not say.

Names and values of the claim mostly stand in the passage whatever the label, so that neither the claim alone nor the
words that the two share decide it.
"""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.qa import Statement, values
from tianti.tasks.nano.world import Side, Text, data, join

LABELS = ("yes", "maybe", "no")
STRANGE = 0.3  # share of the claims not said (or wrong) with a name (or value) that the passage does not have


def pairs(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    label = LABELS[turn]
    relation = rng.choice(data("claims")["relations"])
    names = rng.sample(side.names, 6)
    right, other, strange = values(rng, side, relation, 3, names)
    aside = rng.choice([name for name in data("stories") if name != relation])
    told = [
        Statement(relation, names[0], right),
        Statement(relation, names[1], other),
        Statement(aside, names[2], values(rng, side, aside, 1, names)[0]),
    ]
    rng.shuffle(told)
    said = [statement.said(rng, side.plain()) for statement in told]
    stranger = rng.random() < STRANGE
    claimed = {
        "yes": Statement(relation, names[0], right),
        "no": Statement(relation, names[0], strange if stranger else other),
        "maybe": Statement(relation, names[3] if stranger else names[2], right),
    }[label]
    return {
        "premise": join(said),
        "hypothesis": _said_anew(rng, side.plain(), claimed, said),
        "label": data("claims")["labels"][label],
    }


def _said_anew(rng: random.Random, side: Side, statement: Statement, said: list[Text]) -> Text:
    """The statement in words that do not stand in the passage already."""
    while (text := statement.said(rng, side)) in said:
        pass
    return text
