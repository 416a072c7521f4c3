"""The values per sample behind the cells of a board, read from the store when somebody asks for them."""

from __future__ import annotations

from functools import cached_property, lru_cache

from tianti.board.board import Board
from tianti.board.cells import average
from tianti.board.entries import Entry
from tianti.board.imported import imported_items
from tianti.board.results import Items, read_result
from tianti.store import Store

KEPT = 2048
"""Cells of which the values stay in memory: at 10,000 samples 80 KB each."""


class EntryItems:
    """The items of the entries of a board, averaged over seeds; those that were asked for last are kept."""

    def __init__(self, store: Store, board: Board) -> None:
        self._store = store
        self._board = board
        self._entries = {entry.id: entry for entry in board.entries}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._kept = lru_cache(maxsize=KEPT)(self._read)

    def on(self, entry: Entry, task: str) -> Items | None:
        """An entry's values on a task; None where the metric is no mean over samples or nothing was scored.

        Raises:
            StoreError: answers are gone or were changed since they were sealed.
        """
        if entry.provenance == "imported":
            return self._imported.get(entry.id, {}).get(task)
        return self._kept(entry.id, task)

    def of(self, entry: Entry) -> dict[str, Items]:
        """An entry's values on every task that has some."""
        found = {task: self.on(entry, task) for task in entry.cells}
        return {task: items for task, items in found.items() if items is not None}

    @cached_property
    def _imported(self) -> dict[str, dict[str, Items]]:
        return imported_items(self._store, self._board)

    def _read(self, entry: str, task: str) -> Items | None:
        runs = self._entries[entry].cells[task].run_ids
        read = [read_result(self._store, self._store.run(run_id)).items for run_id in runs]
        items = average([each for each in read if each is not None])
        if items is None:
            return None
        # Most entries answered the same samples: the names are kept once.
        names = self._names.setdefault(items.names, items.names)
        return Items(names, items.values, items.clusters, items.repeats)
