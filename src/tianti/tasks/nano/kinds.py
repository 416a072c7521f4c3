"""The kinds of task beside the first three: how a sample is drawn, and made a row of one language."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tianti.tasks.nano.augmentation import augmentation
from tianti.tasks.nano.bias import AXES, bias
from tianti.tasks.nano.claims import LABELS, pairs
from tianti.tasks.nano.control import control, counted
from tianti.tasks.nano.dialogue import dialogue
from tianti.tasks.nano.entities import entities, tagged
from tianti.tasks.nano.programs import programs
from tianti.tasks.nano.relations import NONE, relations
from tianti.tasks.nano.spans import located, spans
from tianti.tasks.nano.summaries import summaries
from tianti.tasks.nano.texts import texts
from tianti.tasks.nano.translation import translation
from tianti.tasks.nano.world import Side

Row = dict[str, Any]


def _unchanged(row: Row, language: str) -> Row:
    return row


@dataclass(frozen=True)
class Writer:
    """`draw` gets one of `turns` turns, which are as frequent as each other; `size` overrides that of the splits."""

    draw: Callable[[random.Random, Side, int], Row]
    finish: Callable[[Row, str], Row] = _unchanged
    turns: int = 4
    size: int | None = None


WRITERS = {
    "pairs": Writer(pairs, turns=len(LABELS)),
    "entities": Writer(entities, tagged),
    "relations": Writer(relations, turns=NONE + 1),
    "spans": Writer(spans, located),
    "translation": Writer(translation),
    "summaries": Writer(summaries),
    "dialogue": Writer(dialogue),
    "control": Writer(control, counted),
    "programs": Writer(programs),
    "texts": Writer(texts),
    "augmentation": Writer(augmentation, size=20),
    **{f"bias-{axis}": Writer(partial(bias, axis)) for axis in AXES},
}
