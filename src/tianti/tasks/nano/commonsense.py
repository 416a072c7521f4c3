"""Questions with four choices about what everyone in the town knows.

Two distractors are of the kind of the answer, one is a stray of the same table.
"""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.world import Side, Text, data, share

TAUGHT = 0.6  # share of the facts that the train split asks about; the tests ask about all


def commonsense(rng: random.Random, side: Side, position: int, all_facts: bool = True) -> dict[str, Any]:
    tables = data("facts")
    weights = [len(table["rows"]) * len(table["ask"]) ** 0.5 for table in tables.values()]
    name = rng.choices(list(tables), weights)[0]
    table = tables[name]
    ask = rng.choice(table["ask"])
    if table.get("order"):
        slots, gold, wrong = _ranked(rng, table, ask["answer"])
    else:
        slots, gold, wrong = _related(rng, name, table, ask["answer"], all_facts)
    question = (
        side.wording(rng, ask)
        .fill(name=rng.choice(side.names), place=rng.choice(side.places), **slots)
        .sentence()
    )
    return {"question": question, "choices": [*wrong[:position], gold, *wrong[position:]], "answer": position}


def _related(
    rng: random.Random, name: str, table: dict[str, Any], answer: str, all_facts: bool
) -> tuple[dict[str, Text], Text, list[Text]]:
    """Slots, the right choice and three wrong ones, for a row of a table of relations."""
    column = table["columns"].index(answer)
    rows = [row for row in table["rows"] if all_facts or share("taught", name, answer, row[0].en) < TAUGHT]
    row = rng.choice(rows)
    # A row is wrong only if it differs in every column: what is sold in the same shop is no distractor.
    others = [other for other in table["rows"] if not set(other) & set(row)]
    alike = sorted({other[column] for other in others})
    stray = rng.choice([cell for cell in rng.choice(others) if cell not in alike])
    wrong = rng.sample([*rng.sample(alike, 2), stray], 3)
    return dict(zip(table["columns"], row, strict=True)), row[column], wrong


def _ranked(
    rng: random.Random, table: dict[str, Any], answer: str
) -> tuple[dict[str, Text], Text, list[Text]]:
    """The same for a table in order: the choices are four of its rows, the answer is the last or the first."""
    items = [table["rows"][index][0] for index in sorted(rng.sample(range(len(table["rows"])), 4))]
    gold = items.pop(-1 if answer == table["order"] else 0)
    rng.shuffle(items)
    return {}, gold, items
