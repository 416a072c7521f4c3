import pytest

from tianti.board.build import build_board
from tianti.board.results import read_results
from tianti.core.exceptions import UnknownNameError


def test_from_store_to_board(store, world):
    run = world.record(store, "a", "lora", seed=0, chance=0.8)
    world.record_failure(store, "b", "lora", "sentiment", "it does not fit")
    board = build_board(store)
    cell = board.entries[0].cells["sentiment"]
    values = world.values("a", "lora", "sentiment", 0, 0.8)[:98]
    assert cell.value == pytest.approx(values.mean(), rel=1e-9)
    assert (cell.n, cell.errors, cell.skipped, cell.run_ids) == (98, 1, 1, (run.run_id,))
    assert board.entries[0].price.training_seconds == 1.5
    assert board.entries[0].price.evaluation_tokens == 100
    assert board.entries[1].cells["sentiment"].reason == "it does not fit"


def test_of_one_study(store, world):
    run = world.record(store, "a")
    world.record(store, "b")
    store.record_study("mine", [run.trial_id], "")
    assert [entry.model for entry in build_board(store, "mine").entries] == ["a"]
    assert build_board(store, "mine").title == "mine"
    with pytest.raises(UnknownNameError, match="mine"):
        build_board(store, "mne")


def test_a_newer_run_of_a_trial_takes_the_place_of_the_older(store, world):
    world.record(store, "a")
    newer = world.record(store, "a")
    assert [result.run_id for result in read_results(store)] == [newer.run_id]
    # Started again and failed: the finished run stands.
    world.record_failure(store, "a", "zero-shot", "sentiment", "broken")
    assert [result.run_id for result in read_results(store)] == [newer.run_id]


def test_an_empty_store(store):
    assert build_board(store).entries == ()
