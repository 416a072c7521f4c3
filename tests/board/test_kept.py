"""A board is made once for a store as it is, and never shown for another."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tianti.board import kept
from tianti.board.board import Rules
from tianti.board.build import build_board
from tianti.core.exceptions import StoreError


@pytest.fixture(autouse=True)
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of kept boards; every board is worth a file."""
    monkeypatch.setenv("TIANTI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "LONG", 0.0)
    return tmp_path / "cache" / "boards"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the boards that were made, in their order."""
    from tianti.board import build

    titles, assemble = [], build.assemble

    def noted(*given, **named):
        titles.append(named["title"])
        return assemble(*given, **named)

    monkeypatch.setattr(build, "assemble", noted)
    return titles


def test_it_is_made_once_and_read_as_it_was(store, world, made):
    world.record(store, "a", "lora", seed=0, chance=0.8)
    world.record(store, "b", "lora", seed=0, chance=0.6)
    first = build_board(store)
    again = build_board(store)
    assert made == [""]
    assert (again, again.snapshot) == (first, first.snapshot)


def test_a_new_run_makes_another(store, world, made):
    world.record(store, "a")
    build_board(store)
    world.record(store, "b")
    assert [entry.model for entry in build_board(store).entries] == ["a", "b"]
    assert len(made) == 2


@pytest.mark.parametrize("asked", [{"rules": Rules(level=0.9)}, {"study": "mine"}, {"tasks": ["senti*"]}])
def test_what_is_asked_otherwise_is_another(store, world, made, asked):
    run = world.record(store, "a")
    store.record_study("mine", [run.trial_id], "")
    build_board(store)
    build_board(store, **asked)
    assert len(made) == 2


def test_a_changed_file_of_answers_is_found_though_the_board_is_kept(store, world):
    world.record(store, "a")
    build_board(store)
    (part,) = (store.folder / "parts").iterdir()
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(StoreError, match="changed"):
        build_board(store)


@pytest.mark.parametrize("damaged", [lambda text: text[:-10], lambda text: text[:-10] + b"\xff" * 10])
def test_a_damaged_file_costs_time_and_says_so(store, world, made, boards, caplog, damaged):
    world.record(store, "a")
    first = build_board(store)
    (file,) = boards.iterdir()
    file.write_bytes(damaged(file.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert build_board(store) == first
    assert len(made) == 2
    assert f"{file} was damaged" in caplog.text


def test_a_file_that_another_process_is_writing_changes_nothing(store, world, made):
    world.record(store, "a")
    build_board(store)
    # It may be gone before it is looked at.
    (store.folder / "parts" / f".{'0' * 32}.tmp").symlink_to("gone")
    build_board(store)
    assert len(made) == 1


def test_where_nothing_can_be_written_the_board_is_made_each_time(store, world, made, boards, caplog):
    world.record(store, "a")
    boards.parent.mkdir()
    boards.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert build_board(store) == build_board(store)
    assert len(made) == 2
    assert "not kept" in caplog.text


def test_only_the_newest_are_kept(store, world, boards, monkeypatch):
    world.record(store, "a")
    monkeypatch.setattr(kept, "MOST", 2)
    for level in (0.8, 0.9, 0.95, 0.99):
        build_board(store, rules=Rules(level=level))
    assert len(list(boards.iterdir())) == 2


def test_what_is_made_in_a_moment_is_not_kept(store, world, boards, monkeypatch):
    monkeypatch.setattr(kept, "LONG", 3600.0)
    world.record(store, "a")
    build_board(store)
    assert not boards.exists()
