"""Reviews to be written to order: words that must occur, for or against, and no longer than asked."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.sentiment import LABELS
from tianti.tasks.nano.world import Side, Text, data, join, other_than

STEP = 5  # a limit of length is a multiple of it
DENIED = 0.15


def control(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    """`turn` gives the sentiment (turn % 2) and how many words must occur."""
    label = LABELS[turn % 2]
    source = data("reviews")
    category = source["categories"][rng.choice(list(source["categories"]))]
    aspects = rng.sample(category["aspects"], rng.randint(1, 2))
    name, place = rng.choice(side.names), rng.choice(side.places)
    opening = rng.choice(source["openings"]["known"]).fill(
        day=rng.choice(data("vocabulary")["days"]), name=name, place=place
    )
    clauses = [_clause(rng, side.plain(), category, aspect, label) for aspect in aspects]
    text = join([opening.sentence(), *(_stopped(clause).sentence() for clause in clauses)])
    named = [place if name.en not in opening.en or rng.random() < 0.5 else name, rng.choice(aspects)]
    keywords = named if turn >= 2 else [rng.choice(named)]
    return {
        "keywords": keywords,
        "sentiment": source["labels"][label],
        "max_words": Text(_limit(len(text.en.split())), _limit(len(text.zh))),
        "reference": text,
    }


def _clause(rng: random.Random, side: Side, category: dict[str, Any], aspect: Text, label: str) -> Text:
    source = data("reviews")
    form = source["deny" if rng.random() < DENIED else "affirm"]
    against = other_than(rng, LABELS, label)
    return side.wording(rng, form).fill(
        x=aspect, same=rng.choice(category[label]), other=rng.choice(category[against])
    )


def _stopped(clause: Text) -> Text:
    return Text(f"{clause.en}.", f"{clause.zh}。")


def _limit(length: int) -> str:
    return str(-(-length // STEP) * STEP)


def counted(row: dict[str, Any], language: str) -> dict[str, Any]:
    """The row with its limit as a number, of words in English and of characters in Chinese."""
    return {**row, "max_words": int(row["max_words"])}
