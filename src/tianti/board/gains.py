"""What each adaptation of a model gains over the model as it is, on the samples that both answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tianti.board.board import Board
from tianti.board.compare import Comparison, Difference, compare_entries
from tianti.board.entries import Entry
from tianti.board.entry_items import EntryItems

BASE = "zero-shot"


@dataclass(frozen=True)
class Gain:
    """An adaptation minus zero-shot: by task, and over the counting tasks that both have, normalised as the mean."""

    entry: Entry
    comparison: Comparison

    @property
    def overall(self) -> Difference | None:
        """Over all tasks; None where no counting task has values per sample of both."""
        return self.comparison.overall

    def on(self, task: str) -> Difference | None:
        """On one task; None where one of the two has no value there."""
        return next((each for each in self.comparison.tasks if each.task == task), None)


def gains(board: Board, items: EntryItems, entries: Sequence[Entry]) -> tuple[Entry | None, list[Gain]]:
    """(what is compared with, the gains of the others over it, in the order of `entries`, which are one model's).

    It is the entry whose adaptation is plain zero-shot, else the first kind of zero-shot; None where there is none.

    Raises:
        StoreError: answers are gone or were changed since they were sealed.
    """
    candidates = [entry for entry in entries if entry.method == BASE]
    base = next((entry for entry in candidates if entry.adaptation == BASE), None)
    base = base or next(iter(candidates), None)
    if base is None:
        return None, []
    others = [entry for entry in entries if entry.id != base.id]
    return base, [Gain(entry, compare_entries(board, items, entry, base)) for entry in others]
