from dataclasses import replace

import pytest

import tianti
from tianti.api import place_entry
from tianti.board.place import NewEntry
from tianti.board.terminal_pairs import render_place
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.store import Store

STUDY = {
    "models": ["nano:llama-untrained", "baseline:tfidf", "baseline:majority"],
    "tasks": ["nano/sentiment", "nano/qa"],
    "adaptations": ["zero-shot", "fit"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    tianti.run(STUDY, store=folder)
    return folder


@pytest.fixture(scope="module")
def placed(store):
    return place_entry(store, NewEntry("nano:llama", delta=4))


def test_a_new_entry_finds_its_place_early(placed, store):
    assert (placed.rank_low, placed.rank_high, placed.of) == (1, 1, 4)
    assert len(placed.below) == 3
    assert placed.n < placed.items == 400
    assert placed.low <= placed.mean <= placed.high
    whole = tianti.evaluate("nano:llama", STUDY["tasks"], store=store / "whole").entries[0]
    assert placed.low <= whole.mean <= placed.high
    assert (placed.target, placed.level) == ("this bank", 0.95)


def test_a_repeat_finds_its_answers(placed, store, monkeypatch):
    monkeypatch.setattr("tianti.sequential.asking.answer_shard", None)
    assert place_entry(store, NewEntry("nano:llama", delta=4)) == placed


def test_the_board_stays_as_it_was(placed, store):
    board = tianti.load_board(store)
    assert board.decided is None
    assert "nano:llama · zero-shot" not in [entry.name for entry in board.entries]
    with Store(store) as opened:
        assert opened.run(placed.run_ids[0]).cost["decided"]["delta"] == 4


def test_it_is_told_in_words(placed):
    from rich.console import Console

    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(render_place(placed))
        console.print(render_place(replace(placed, open=("x",), tied=("y",), below=(), rank_high=2)))
    shown = captured.get()
    assert "nano:llama · zero-shot: rank 1 of 4" in shown
    assert f"settled after {placed.n} of 400 samples" in shown
    assert "rank 1–2 of 4" in shown
    assert "not settled after" in shown
    assert "within 4 points of it: y" in shown


def test_who_cannot_be_placed_is_told_why(store, tmp_path):
    with pytest.raises(InputError, match="points above 0"):
        place_entry(store, NewEntry("nano:llama", delta=0))
    with pytest.raises(InputError, match="on the board already"):
        place_entry(store, NewEntry("baseline:tfidf", "fit"))
    with pytest.raises(IncompatibleError, match="--adapt fit"):
        place_entry(store, NewEntry("baseline:tfidf"))
    tianti.run({**STUDY, "until": "decided", "delta": 20, "limit": 100}, store=tmp_path)
    with pytest.raises(InputError, match="stopped when its ranking was decided"):
        place_entry(tmp_path, NewEntry("nano:llama"))
    Store(tmp_path / "empty").close()
    with pytest.raises(InputError, match="no ranked entries"):
        place_entry(tmp_path / "empty", NewEntry("nano:llama"))
