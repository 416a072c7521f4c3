"""The samples on which entries differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tianti.board.board import Board
from tianti.board.entries import Entry
from tianti.board.entry_items import EntryItems
from tianti.board.ranking import task_matrix

MOST = 20
"""Samples of a task that are listed."""


@dataclass(frozen=True)
class Disagreement:
    """A sample with the values of the entries, in their order."""

    sample: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Disagreements:
    """Of the samples of a task that all entries answered (`shared`), those on which they differ: how many
    (`differing`), and those with the largest differences, which stand in the order of the data where these are equal.
    """

    task: str
    shared: int
    differing: int
    largest: tuple[Disagreement, ...]


def disagreements(board: Board, items: EntryItems, entries: Sequence[Entry]) -> list[Disagreements]:
    """Task by task; those that an entry lacks, or that have no values per sample, are left out.

    Raises:
        StoreError: answers are gone or were changed since they were sealed.
    """
    found = []
    for column in board.columns:
        if any(column.name not in entry.cells for entry in entries):
            continue
        answered = [items.on(entry, column.name) for entry in entries]
        known = [each for each in answered if each is not None]
        if len(known) == len(entries):
            names = list(dict.fromkeys(name for each in known for name in each.names))
            found.append(_differing(column.name, names, np.asarray(task_matrix(known, 1.0).values)))
    return found


def _differing(task: str, names: Sequence[str], values: np.ndarray) -> Disagreements:
    shared = np.flatnonzero(~np.isnan(values).any(axis=0))
    ranges = np.ptp(values[:, shared], axis=0) if len(shared) else np.empty(0)
    order = np.argsort(-ranges, kind="stable")
    differing = int(np.count_nonzero(ranges))
    largest = tuple(
        Disagreement(names[shared[place]], tuple(float(value) for value in values[:, shared[place]]))
        for place in order[: min(MOST, differing)]
    )
    return Disagreements(task, len(shared), differing, largest)
