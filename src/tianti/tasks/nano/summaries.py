"""Texts of three to five sentences, and the one thing that most of them are about.

The main sentence is seldom the first: an opening or a word about somebody else may precede it.
"""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.qa import Statement, values
from tianti.tasks.nano.world import Side, Text, data, join

OPENED, ASIDE = 0.5, 0.7


def summaries(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    stories, details = data("stories"), data("summaries")
    relation, other = rng.sample([name for name in details if name != "closings"], 2)
    names = rng.sample(side.names, 4)
    main = Statement(relation, names[0], values(rng, side, relation, 1, names)[0])
    aside = Statement(other, names[1], values(rng, side, other, 1, names)[0])
    said = [main.said(rng, side.plain()), *_details(rng, side.plain(), details[relation], main)]
    if rng.random() < ASIDE:
        said.insert(rng.choice((0, 0, len(said))), aside.said(rng, side.plain()))
    if rng.random() < OPENED:
        opening = rng.choice(data("dialogues")["openings"])
        day, place = rng.choice(data("vocabulary")["days"]), rng.choice(side.places)
        said.insert(0, opening.fill(day=day, place=place, name=names[2]).sentence())
    summary = stories[relation]["tell"]["known"][0].fill(name=main.name, value=main.value).sentence()
    return {"document": join(said), "summary": summary}


def _details(rng: random.Random, side: Side, groups: dict[str, Any], main: Statement) -> list[Text]:
    """Two different things that are said about the value of the main statement."""
    chosen: dict[Text, None] = {}
    while len(chosen) < 2:
        chosen[side.wording(rng, groups)] = None
    return [wording.fill(value=main.value).sentence() for wording in chosen]
