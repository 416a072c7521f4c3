import json
from dataclasses import replace

import pytest

from result_files import write_all
from tianti.board import Board
from tianti.board.build import build_board
from tianti.board.importers.add import import_files
from tianti.board.snapshot import board_json, take_snapshot
from tianti.board.streams import DEFINITIONS, Stream
from tianti.core.exceptions import UnknownNameError


def test_a_snapshot_holds_the_board_and_the_runs_behind_it(store, world):
    old = world.record(store, "a")
    run = world.record(store, "a", seed=1)
    snapshot = take_snapshot(store)
    assert snapshot.board == build_board(store)
    behind = {id for cell in snapshot.board.entries[0].cells.values() for id in cell.run_ids}
    assert set(snapshot.runs) == behind
    assert run.run_id in behind or old.run_id in behind
    for run_id, recorded in snapshot.runs.items():
        assert recorded.run == store.run(run_id)
        assert list(recorded.scores) == store.scores(run_id)
    assert snapshot.reported.entries
    with pytest.raises(TypeError):
        snapshot.runs["x"] = None


def test_its_id_names_its_content(store, world):
    run = world.record(store, "a")
    world.record(store, "b")
    first = take_snapshot(store)
    assert take_snapshot(store).id == first.id
    # A further score of a run is on its page, though not on the board.
    store.add_scores(run.run_id, [world.score(0.3, "sentiment", metric="ece", main=False)])
    second = take_snapshot(store)
    assert second.id != first.id
    world.record(store, "c")
    assert take_snapshot(store).id not in (first.id, second.id)
    assert replace(first, boards=second.boards, runs=second.runs).id == second.id


def test_trying_again_what_was_refused_changes_no_id(store, world):
    world.record(store, "a")
    world.record_failure(store, "a", "lora", "sentiment", "does not fit")
    first = take_snapshot(store)
    world.record_failure(store, "a", "lora", "sentiment", "does not fit")
    second = take_snapshot(store)
    assert second.runs != first.runs
    assert second.id == first.id
    world.record_failure(store, "a", "lora", "sentiment", "out of memory")
    assert take_snapshot(store).id != first.id


def test_imported_boards_stand_beside_the_measured_one_unless_a_study_is_named(store, world, tmp_path):
    import_files(store, list(write_all(tmp_path).values()))
    names = {record.study for record in store.imports()}
    assert len(names) > 1
    only = take_snapshot(store)
    assert {board.title for board in only.boards} == names
    assert len(only.boards) == len(names)
    assert only.board == build_board(store)
    world.record(store, "a")
    beside = take_snapshot(store)
    assert [beside.board.title, beside.board.entries[0].model] == ["", "a"]
    assert {board.title for board in beside.boards[1:]} == names
    assert [board.title for board in take_snapshot(store, "mteb").boards] == ["mteb"]


def test_an_unknown_study(store):
    with pytest.raises(UnknownNameError, match="nothing"):
        take_snapshot(store, "nothing")


def test_the_json_of_a_board_has_its_streams_beside_it(store, world):
    world.record(store, "a")
    board = build_board(store)
    assert board_json(board) == board.to_json()
    stream = Stream("m", "full", "plain", ("t",), (0,), ((None,), (0.5,)))
    text = board_json(board, [stream])
    assert Board.from_json(text) == board
    assert json.loads(text)["streams"][0]["definitions"] == DEFINITIONS


def test_it_knows_the_runs_that_others_took_the_place_of(store, world):
    first = world.record(store, "a")
    assert take_snapshot(store).earlier == {}
    before = take_snapshot(store).id
    second = world.record(store, "a")
    third = world.record(store, "a")
    snapshot = take_snapshot(store)
    assert set(snapshot.runs) == {third.run_id}
    (earlier,) = snapshot.earlier.values()
    assert [recorded.run.run_id for recorded in earlier] == [second.run_id, first.run_id]
    assert earlier[1].scores == tuple(store.scores(first.run_id))
    assert snapshot.id != before
