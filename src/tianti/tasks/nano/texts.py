"""Plain documents of a side: text to measure a language model by."""

from __future__ import annotations

import random

from tianti.tasks.nano.prose import memoir, story, talk
from tianti.tasks.nano.world import Side, Text

WRITERS = (story, talk, memoir, story)  # all of them name people or places


def texts(rng: random.Random, side: Side, turn: int) -> dict[str, Text]:
    return {"text": WRITERS[turn](rng, side)}
