"""What is measured of the board's page is there. No time is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_boards_of_any_size_are_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import boards

    board = boards.synthetic_board(30, 5)
    assert board == boards.synthetic_board(30, 5)
    assert (len(board.entries), len(board.columns)) == (30, 5)
    assert [entry.rank for entry in board.entries] == list(range(1, 31))
    assert any(cell.state == "failed" for entry in board.entries for cell in entry.cells.values())


def test_the_scripts_of_the_board_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import board_browser

    assert 5_000 < board_browser.script_bytes() < board_browser.LIMITS["script"]
