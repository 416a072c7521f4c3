"""A Snapshot: everything that the pages show, frozen and hashed, so that one name means one set of numbers."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from tianti.board.assemble import USUAL
from tianti.board.board import Board, Rules
from tianti.board.build import build_board
from tianti.board.cut import cut
from tianti.board.filters import EVERYTHING, Selection, write
from tianti.board.reported import reported_board
from tianti.board.rounding import name_of
from tianti.board.streams import Stream, as_json, read_streams
from tianti.board.transfer import Matrix, transfer_matrices
from tianti.core.garbage import without_collection
from tianti.evaluation.score import Score
from tianti.store import Run, Store


@dataclass(frozen=True)
class Explanation:
    """Why an answer was given, as `tianti explain` found it: the weight of each token, and what both rest on."""

    sample_id: str
    repeat: int
    found: Mapping[str, Any]


@dataclass(frozen=True)
class RecordedRun:
    """A run with its scores and explanations as they were when the snapshot was taken. Its answers, sealed when it
    finished, stay in the store, which refuses them if they were changed."""

    run: Run
    scores: tuple[Score, ...]
    explanations: tuple[Explanation, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The board that was asked for, what belongs to it, and the boards beside it.

    `boards` are the board and, where the whole store was asked for, those of what was imported; `streams` and
    `transfer` belong to the first. `runs` are those behind its cells, by id.
    """

    boards: tuple[Board, ...]
    streams: tuple[Stream, ...]
    transfer: tuple[Matrix, ...]
    reported: Board
    runs: Mapping[str, RecordedRun]
    earlier: Mapping[str, tuple[RecordedRun, ...]] = field(default_factory=dict)
    """The runs that another one took the place of, newest first, by the id of the one behind the cell; runs without
    any are left out."""

    @property
    def board(self) -> Board:
        """The board that was asked for."""
        return self.boards[0]

    @cached_property
    def id(self) -> str:
        """The sha256 of the content: two snapshots with this id show the same, but for when, how often and where a run
        that did not finish was tried, which is tried again each time."""
        content = {
            "boards": [board.snapshot for board in self.boards],
            "streams": self.streams,
            "transfer": self.transfer,
            "reported": self.reported.snapshot,
            "runs": {run_id: _lasting(recorded) for run_id, recorded in self.runs.items()},
            "earlier": self.earlier,
        }
        return name_of(content)


def _recorded(store: Store, run: Run) -> RecordedRun:
    explained = store.explanations(run.run_id)
    return RecordedRun(
        run,
        tuple(store.scores(run.run_id)),
        tuple(Explanation(*key, found) for key, found in sorted(explained.items())),
    )


def _lasting(recorded: RecordedRun) -> object:
    run = recorded.run
    return recorded if run.state == "finished" else [run.trial_id, run.state, run.reason]


@without_collection()
def take_snapshot(store: Store, study: str | None = None, rules: Rules = USUAL) -> Snapshot:
    """The snapshot of a store, or of one of its studies, as it is now.

    Raises:
        UnknownNameError: no study of this name was recorded.
        StoreError: answers are gone or were changed since they were sealed.
    """
    board = build_board(store, study, rules)
    names = dict.fromkeys(record.study for record in store.imports()) if study is None else {}
    others = [build_board(store, name, rules) for name in names if name != board.title]
    behind = {id for entry in board.entries for cell in entry.cells.values() for id in cell.run_ids}
    runs = store.runs(study)
    recorded = {run.run_id: _recorded(store, run) for run in runs if run.run_id in behind}
    return Snapshot(
        boards=(board, *others),
        streams=tuple(read_streams(store, study, rules.level)),
        transfer=tuple(transfer_matrices(board, runs)),
        reported=reported_board(),
        runs=MappingProxyType(recorded),
        earlier=MappingProxyType(_earlier(store, runs, behind)),
    )


def _earlier(
    store: Store, runs: Sequence[Run], behind: Collection[str]
) -> dict[str, tuple[RecordedRun, ...]]:
    """What the runs behind the cells took the place of, run by run."""
    by_id = {run.run_id: run for run in runs}
    found: dict[str, tuple[RecordedRun, ...]] = {}
    for run_id in sorted(behind):
        chain, run = [], by_id.get(by_id[run_id].supersedes or "")
        while run is not None:
            chain.append(_recorded(store, run))
            run = by_id.get(run.supersedes or "")
        if chain:
            found[run_id] = tuple(chain)
    return found


def board_json(board: Board, streams: Sequence[Stream] = (), selection: Selection = EVERYTHING) -> str:
    """A board as JSON text, and beside it its streams where there are some: the same in terminal, API and export.

    Of a selection only what it shows; beside it the selection's address, and of which board (`whole`, its snapshot)
    with how many entries it is a part.

    Raises:
        UnknownNameError: the board has nothing that is called as the selection says.
    """
    if not streams and not selection:
        return board.to_json()
    content = cut(board, selection).board.to_dict()
    if selection:
        # What is a part has no name of its own: it is found by that of the whole, and the view.
        del content["snapshot"]
    if streams:
        content["streams"] = as_json(streams)
    if selection:
        content |= {"view": write(selection), "whole": board.snapshot, "of_entries": len(board.entries)}
    return json.dumps(content, ensure_ascii=False, indent=1)
