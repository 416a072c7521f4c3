"""The demo's own results: run once, whole, as a user runs it, and read as a reader would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tianti.api import compare_entries, load_board
from tianti.board import Board, Entry


def _demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tianti", "demo", "--store", str(folder / "store"), "--site", str(folder / "site")],
        env={**os.environ, "COLUMNS": "160"},
        text=True, capture_output=True, check=True, timeout=1500,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    _demo(folder)
    return folder


@pytest.fixture(scope="module")
def board(demo: Path) -> Board:
    return load_board(demo / "store", "demo")


def _entry(board: Board, name: str) -> Entry:
    return next(entry for entry in board.entries if entry.name == name)


def _beats(demo: Path, first: str, second: str) -> bool:
    """Whether the paired 95 % interval of the mean difference lies above zero."""
    overall = compare_entries(demo / "store", first, second, "demo").overall
    assert overall is not None
    assert overall.low is not None
    return overall.low > 0


def test_everything_was_measured(board: Board) -> None:
    assert len(board.entries) == 2 * 6 + 2
    for entry in board.entries:
        assert entry.complete, entry.name
        assert {cell.state for cell in entry.cells.values()} == {"ok"}, entry.name
        assert sum(cell.errors + cell.skipped for cell in entry.cells.values()) == 0, entry.name


@pytest.mark.parametrize("adaptation", ["head-only", "lora", "full"])
def test_adaptation_helps(demo: Path, adaptation: str) -> None:
    assert _beats(demo, f"nano:llama · {adaptation}", "nano:llama · zero-shot")


@pytest.mark.parametrize("adaptation", ["zero-shot", "few-shot(k=1)", "few-shot(k=4)"])
def test_the_untrained_model_sits_at_chance(board: Board, adaptation: str) -> None:
    entry = _entry(board, f"nano:llama-untrained · {adaptation}")
    for cell in entry.cells.values():
        assert cell.normalised is not None
        assert cell.low is not None
        assert cell.high is not None
        column = next(column for column in board.columns if column.name == cell.task)
        assert column.chance is not None
        # Six tasks are looked at: each interval is let out a little, as Bonferroni would.
        slack = 0.4 * (cell.high - cell.low) / 2
        assert cell.low - slack <= column.chance <= cell.high + slack, cell


@pytest.mark.parametrize("adaptation", ["zero-shot", "few-shot(k=4)", "head-only", "lora", "full"])
def test_pre_training_beats_none(demo: Path, adaptation: str) -> None:
    assert _beats(demo, f"nano:llama · {adaptation}", f"nano:llama-untrained · {adaptation}")


def _best(board: Board, adaptations: Iterable[str]) -> str:
    entries = [_entry(board, f"nano:llama · {adaptation}") for adaptation in adaptations]
    return max(entries, key=lambda entry: entry.mean or 0).name


def test_the_baselines_are_beaten_where_they_should_be(demo: Path, board: Board) -> None:
    best = _best(board, ("lora", "full"))
    for baseline in ("baseline:majority · fit", "baseline:tfidf · fit"):
        assert _beats(demo, best, baseline)
    assert _beats(demo, "baseline:tfidf · fit", "baseline:majority · fit")


def test_the_ranks_agree_with_the_means_and_their_intervals_hold_them(board: Board) -> None:
    means = [entry.mean for entry in board.entries]
    assert means == sorted(means, key=lambda mean: -(mean or 0))
    for entry in board.entries:
        assert entry.rank is not None
        assert entry.rank_low is not None
        assert entry.rank_high is not None
        assert entry.rank_low <= entry.rank <= entry.rank_high


def test_a_second_run_finds_everything_and_changes_nothing(demo: Path, board: Board) -> None:
    files = {path: path.read_bytes() for path in (demo / "site").rglob("*.html")}
    again = _demo(demo)
    assert "nothing to do" in again.stdout
    assert load_board(demo / "store", "demo") == board
    assert {path: path.read_bytes() for path in (demo / "site").rglob("*.html")} == files


def test_the_site_shows_the_board_in_both_languages(demo: Path, board: Board) -> None:
    for page in ("index.html", "zh/index.html"):
        text = (demo / "site" / page).read_text(encoding="utf-8")
        for entry in board.entries:
            assert entry.model in text
    assert json.loads((demo / "site" / "board.json").read_text(encoding="utf-8"))["entries"]
