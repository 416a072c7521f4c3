"""The board of a store, or of one of its studies."""

from __future__ import annotations

from collections.abc import Sequence

from tianti.board.assemble import USUAL, assemble
from tianti.board.board import Board, Rules
from tianti.board.imported import imported_results
from tianti.board.kept import kept_or_made
from tianti.board.results import Choice, Result, read_results
from tianti.core.garbage import without_collection
from tianti.store import Store


@without_collection()
def build_board(
    store: Store, study: str | None = None, rules: Rules = USUAL, tasks: Sequence[str] = ()
) -> Board:
    """Read the runs, or what was imported to the study, and rank; an empty store gives an empty board. One that took
    long is kept, and read while the store stays as it is.

    Args:
        tasks: patterns of names, such as `nano/*`; where there are some, other tasks are no part of the board.

    Raises:
        UnknownNameError: no study of this name was recorded, or no task is called so.
        StoreError: answers are gone or were changed since they were sealed.
    """

    def make() -> Board:
        results = results_of(store, study, tasks)
        return assemble(results, title=title_of(store, study, results), rules=rules)

    return kept_or_made(store, study, rules, tasks, make)


def results_of(store: Store, study: str | None = None, tasks: Sequence[str] = ()) -> list[Result]:
    """The results of a study. Without one: of all runs; where nothing was run, of what was imported last.

    What was imported has tasks of its own, so it makes boards of its own: beside it no run would have all tasks.
    """
    measured = read_results(store, study)
    if not measured:
        return imported_results(store, study, tasks)
    chosen = Choice(tasks)
    found = [result for result in measured if chosen.has(result.task["name"])]
    chosen.check()
    return found


def title_of(store: Store, study: str | None, results: Sequence[Result]) -> str:
    """The study's name, also where it was not asked for by name but stands for want of runs."""
    if study is None and results and results[0].provenance == "imported":
        return store.imports()[-1].study
    return study or ""
