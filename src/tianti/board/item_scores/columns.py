"""Which columns of a table of scores hold the entry, task, item and score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tianti.core.exceptions import InputError, UnknownNameError

ENTRIES = ("entry", "model", "system")
TASKS = ("task", "dataset", "benchmark")
ITEMS = ("item", "item_id", "question_id", "sample_id", "id")
SCORES = ("score", "value", "correct", "acc")
CLUSTER, REPEAT, REPEATS, CHANCE = "cluster", "repeat", "repeats", "chance"
"""Recognised by these names, of each kind the first that is there."""


@dataclass(frozen=True)
class ItemColumns:
    """Names of columns; None where the table has no such column. `repeat` numbers the answers of an entry to an
    item, `repeats` counts the answers that a score is the mean of."""

    entry: str
    task: str
    item: str
    score: str
    cluster: str | None = None
    repeat: str | None = None
    repeats: str | None = None
    chance: str | None = None


def find_columns(
    present: Sequence[str],
    *,
    entry: str | None = None,
    task: str | None = None,
    item: str | None = None,
    score: str | None = None,
    cluster: str | None = None,
    repeat: str | None = None,
) -> ItemColumns:
    """The columns that were named, and those that are recognised where none was.

    Raises:
        UnknownNameError: a column that was named is not there.
        InputError: none is recognised, or one column is given two roles.
    """
    for name in (entry, task, item, score, cluster, repeat):
        if name is not None and name not in present:
            raise UnknownNameError("column", name, present)

    def needed(given: str | None, known: Sequence[str], what: str) -> str:
        found = given or next((name for name in known if name in present), None)
        if found is None:
            listed = ", ".join(present[:20]) + (", …" if len(present) > 20 else "")
            raise InputError(
                f"no column of the {what}: expected {', '.join(known)}; found {listed}",
                remedy=f"name it with --{what}-column",
            )
        return found

    def optional(given: str | None, known: str) -> str | None:
        return given or (known if known in present else None)

    found = ItemColumns(
        needed(entry, ENTRIES, "entry"), needed(task, TASKS, "task"), needed(item, ITEMS, "item"),
        needed(score, SCORES, "score"), optional(cluster, CLUSTER), optional(repeat, REPEAT),
        optional(None, REPEATS), optional(None, CHANCE),
    )  # fmt: skip
    named = [name for name in vars(found).values() if name is not None]
    if len(set(named)) < len(named):
        raise InputError(f"one column is given two roles: {', '.join(named)}")
    return found
