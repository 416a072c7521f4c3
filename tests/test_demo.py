"""The demo's own results: run once, whole, as a user runs it, and read as a reader would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tianti.api import compare_entries, load_board, load_streams, run
from tianti.board import Board, Entry
from tianti.board.streams import Stream
from tianti.study import study_of
from tianti.tasks.kinds import KINDS

pytestmark = pytest.mark.slow

HEAD = "head-only(epochs=10)"
TRAINED = ("lora(epochs=1)", "full(epochs=1)")
REFUSAL = re.compile(
    r"does not fit|needs a model that|no solved examples|shots stand in a prompt|instruction=true asks for"
)


def _demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tianti", "demo", "--store", str(folder / "store"), "--site", str(folder / "site")],
        env={**os.environ, "COLUMNS": "160"},
        text=True, capture_output=True, check=True, timeout=1500,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "said.txt").write_text(_demo(folder).stdout, encoding="utf-8")
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


def test_all_kinds_of_task_and_three_architectures_are_there(board: Board) -> None:
    assert {column.kind for column in board.columns} == set(KINDS)
    assert {column.language for column in board.columns} == {"en", "zh"}
    assert {entry.architecture for entry in board.entries} == {"causal", "masked", "seq2seq", "baseline"}
    assert len(board.entries) == 3 * 6 + 2


def test_everything_was_measured_or_refused_with_a_reason(board: Board) -> None:
    for entry in board.entries:
        for cell in entry.cells.values():
            assert cell.state in ("ok", "failed"), (entry.name, cell)
            if cell.state == "failed":
                assert REFUSAL.search(cell.reason), (entry.name, cell)
            assert cell.errors == (0 if cell.state == "ok" else None), (entry.name, cell)
    answered = {
        entry.name: sum(cell.state == "ok" for cell in entry.cells.values()) for entry in board.entries
    }
    whole = len(board.columns)
    for adaptation in ("zero-shot", HEAD, *TRAINED):
        assert answered[f"nano:llama · {adaptation}"] == whole
        assert answered[f"nano:t5 · {adaptation}"] == whole - 1, "all but whole texts"
    # A head gives labels, choices, tags and spans, and writes nothing.
    for adaptation in (HEAD, *TRAINED):
        assert answered[f"nano:bert · {adaptation}"] == 8


@pytest.mark.parametrize("adaptation", TRAINED)
def test_adaptation_helps(demo: Path, adaptation: str) -> None:
    assert _beats(demo, f"nano:llama · {adaptation}", "nano:llama · zero-shot")


def _best(board: Board, adaptations: Iterable[str]) -> str:
    entries = [_entry(board, f"nano:llama · {adaptation}") for adaptation in adaptations]
    return max(entries, key=lambda entry: entry.mean or 0).name


def test_the_baselines_are_beaten_where_they_should_be(demo: Path, board: Board) -> None:
    best = _best(board, TRAINED)
    for baseline in ("baseline:majority · fit", "baseline:tfidf · fit"):
        assert _beats(demo, best, baseline)
    assert _beats(demo, "baseline:tfidf · fit", "baseline:majority · fit")


def test_the_untrained_model_sits_at_chance_and_pre_training_beats_it(tmp_path: Path) -> None:
    tasks = ["nano/sentiment", "nano/commonsense"]
    board = run(
        study_of(models=["nano:llama", "nano:llama-untrained"], tasks=tasks, limit=100), store=tmp_path
    )
    untrained = _entry(board, "nano:llama-untrained · zero-shot")
    for cell in untrained.cells.values():
        column = next(column for column in board.columns if column.name == cell.task)
        assert column.chance is not None
        assert cell.low is not None
        assert cell.high is not None
        # Two tasks are looked at: each interval is let out a little, as Bonferroni would.
        slack = 0.2 * (cell.high - cell.low) / 2
        assert cell.low - slack <= column.chance <= cell.high + slack, cell
    found = compare_entries(tmp_path, "nano:llama · zero-shot", untrained.name).overall
    assert found is not None
    assert found.low is not None
    assert found.low > 0


def _lost_of_the_first(stream: Stream) -> float:
    """By how much the first task's score has fallen since it was learned."""
    learned, last = stream.matrix[1][0], stream.matrix[-1][0]
    assert learned is not None
    assert last is not None
    return learned - last


def test_the_stream_shows_what_is_forgotten_and_what_replay_keeps(demo: Path) -> None:
    found = {stream.strategy: stream for stream in load_streams(demo / "store", "demo-stream")}
    assert [*found] == ["plain", "replay(size=50)", "joint"]
    plain, replay = found["plain"], found["replay(size=50)"]
    assert _lost_of_the_first(plain) > _lost_of_the_first(replay) + 0.2
    assert replay.less_forgotten is not None
    assert replay.less_forgotten.low > 0
    said = " ".join((demo / "said.txt").read_text(encoding="utf-8").split())
    assert said.index("rank model") < said.index("Read a column downwards")
    for part in (
        "3: nano/sentiment",
        "plain: ",
        "replay(size=50): ",
        "points forgotten",
    ):
        assert part in said


def test_the_ranks_agree_with_the_means_and_their_intervals_hold_them(board: Board) -> None:
    ranked = [entry for entry in board.entries if entry.complete]
    means = [entry.mean for entry in ranked]
    assert len(ranked) >= 2 * 5 + 2
    assert means == sorted(means, key=lambda mean: -(mean or 0))
    for entry in ranked:
        assert entry.rank is not None
        assert entry.rank_low is not None
        assert entry.rank_high is not None
        assert entry.rank_low <= entry.rank <= entry.rank_high


def test_a_second_run_finds_everything_and_changes_nothing(demo: Path, board: Board) -> None:
    files = _pages(demo)
    again = _demo(demo)
    assert " 0 measured" in again.stdout
    assert load_board(demo / "store", "demo") == board
    assert _pages(demo) == files


def _pages(demo: Path) -> dict[Path, str]:
    """All pages but those of refused runs, which are tried again and have the time of that."""
    pages = {path: path.read_text(encoding="utf-8") for path in (demo / "site").rglob("*.html")}
    return {
        path: text
        for path, text in pages.items()
        if path.parent.parent.name != "r" or not REFUSAL.search(text)
    }


def test_the_site_shows_the_board_in_both_languages(demo: Path, board: Board) -> None:
    for page in ("en/b/demo/index.html", "zh/b/demo/index.html"):
        text = (demo / "site" / page).read_text(encoding="utf-8")
        for entry in board.entries:
            assert entry.model in text
    assert json.loads((demo / "site" / "api/v1/boards/demo.json").read_text(encoding="utf-8"))["entries"]
