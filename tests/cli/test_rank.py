"""`tianti rank` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tianti as package
from tianti.cli import main
from tianti.store import Store
from worlds import World

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tianti(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    rng = np.random.default_rng(0)
    lines = ["model,task,question_id,score,passage"]
    for model, right in (("strong", 0.9), ("middle", 0.6), ("weak", 0.3)):
        for task in ("a=b", "c"):
            lines += [f"{model},{task},{item},{int(rng.random() < right)},{item // 2}" for item in range(60)]
    Path("scores.csv").write_text("\n".join(lines) + "\n")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = 0
        try:
            main(list(arguments))
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_file_is_ranked_and_the_panel_shown(tianti: Run) -> None:
    status, output, _ = tianti("rank", "scores.csv", "--stability", "--top", "2")
    assert status == 0
    assert "strong" in output
    assert "weak" not in output
    assert "2 of 2 tasks, 120 items." in output
    assert "rank stability" in output


def test_the_options_reach_the_numbers(tianti: Run) -> None:
    status, output, _ = tianti(
        "rank", "scores.csv", "--json", "--by", "borda", "--weights", "a=b=3", "--chance", "c=0.25", "--level", "0.9",
        "--seed", "7", "--cluster-column", "passage", "--entry-column", "model", "--task-column", "task",
        "--item-column", "question_id", "--score-column", "score",
    )  # fmt: skip
    found = json.loads(output)
    assert status == 0
    assert (found["by"], found["level"], found["seed"], found["clusters"], found["n"]) == (
        "borda",
        0.9,
        7,
        60,
        120,
    )
    assert [(task["name"], task["weight"], task["chance"]) for task in found["tasks"]] == [
        ("a=b", 0.75, None),
        ("c", 0.25, 0.25),
    ]
    assert {"target", "method", "family", "repeats", "ranks", "stability"} <= set(found)
    again = package.rank_items(
        "scores.csv", by="borda", weights={"a=b": 3}, chances={"c": 0.25}, level=0.9, seed=7,
        columns={"cluster": "passage"},
    )  # fmt: skip
    assert json.loads(again.to_json()) == found
    status, output, _ = tianti(
        "rank", "scores.csv", "--ranks", "max-t", "--json", "--repeat-column", "passage"
    )
    assert json.loads(output)["method"] == "paired tests on shared items, max-T"


def test_a_store_is_written_as_a_file_that_gives_the_same(tianti: Run) -> None:
    world = World()
    with Store(Path("tianti-store")) as store:
        for model, chance in (("best", 0.9), ("worst", 0.4)):
            for task in ("sentiment", "topics"):
                for seed in (0, 1):
                    world.record(store, model, "zero-shot", task, chance, seed=seed)
    status, output, errors = tianti("rank", "--json", "--items-to", "items.jsonl")
    assert (status, errors.strip()) == (0, "scores per item: items.jsonl")
    of_store = json.loads(output)
    assert [entry["name"] for entry in of_store["entries"]] == ["best · zero-shot", "worst · zero-shot"]
    assert of_store["tasks"][0]["chance"] == 0.5
    for by in ("mean", "latent"):
        found = [
            json.loads(tianti("rank", *file, "--json", "--by", by)[1]) for file in ((), ("items.jsonl",))
        ]
        found[1]["rows"] = found[0]["rows"]
        assert found[0] == found[1]
    board = json.loads(tianti("board", "--json")[1])
    for entry, row in zip(board["entries"], of_store["entries"], strict=True):
        assert (entry["rank_low"], entry["rank_high"]) == (row["rank_low"], row["rank_high"])
        assert entry["mean"] == pytest.approx(row["value"], abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("scores.csv", "--weights", "c"), "--weights c: expected TASK=NUMBER"),
        (("scores.csv", "--chance", "c=much"), "--chance c=much: expected TASK=NUMBER"),
        (("scores.csv", "--weights", "c=1", "--weights", "c=2"), "--weights gives c twice"),
        (("scores.csv", "--weights", "d=1"), "unknown task 'd'"),
        (("scores.csv", "--by", "latent", "--ranks", "holm"), "no test between pairs fits"),
        (("scores.csv", "--study", "s"), "a file has no studies"),
        (("scores.csv", "--score-column", "scor"), "did you mean 'score'"),
        (("score.csv",), "did you mean scores.csv"),
        ((), "no results in tianti-store"),
        (("scores.csv", "--items-to", "x.xlsx"), "unknown format '.xlsx'"),
    ],
)
def test_what_cannot_be_used(tianti: Run, arguments: tuple[str, ...], says: str) -> None:
    status, output, errors = tianti("rank", *arguments)
    assert status != 0
    assert says in errors
    assert not output
