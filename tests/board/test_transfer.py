"""Transfer matrices of a study that was run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tianti.api import run
from tianti.board.transfer import render_transfer
from tianti.cli.application import application
from tianti.store import Store

TASKS = ("nano/pairs", "nano/qa", "nano/sentiment")
STUDY = {
    "models": ["nano:llama-untrained", "baseline:tfidf"],
    "adaptations": ["zero-shot", "head-only(epochs=1, max_examples=8)", "fit"],
    "tasks": list(TASKS),
    "transfer": ["nano/sentiment", "nano/pairs"],
    "limit": 4,
    "workers": 1,
}


def _cli(*words: str) -> str:
    result = CliRunner().invoke(application(), ["board", "--transfer", *words])
    assert result.exit_code == 0
    return result.stdout


def test_a_matrix_of_what_was_learned_and_what_was_asked(tmp_path: Path) -> None:
    store = tmp_path / "store"
    board = run(STUDY, store=store)
    folders = sorted(path.name for path in (store / "adapted").iterdir() if path.is_dir())
    assert len(folders) == 2  # one for each learned task, whatever was asked
    found: list[dict[str, Any]] = json.loads(_cli("--json", "--store", str(store)))
    fit, head = found
    assert (head["model"], head["adaptation"]) == (
        "nano:llama-untrained",
        "head-only(epochs=1, max_examples=8)",
    )
    assert [column["name"] for column in head["columns"]] == list(TASKS)
    assert [row["learned"] for row in head["rows"]] == [None, "nano/pairs", "nano/sentiment"]
    assert [row["own"] for row in head["rows"]] == [None, "nano/pairs", "nano/sentiment"]
    ordinary = board.entry("nano:llama-untrained · head-only(epochs=1, max_examples=8)")
    for row in head["rows"][1:]:
        assert set(row["cells"]) == set(TASKS)
        assert row["cells"][row["own"]]["value"] == ordinary.cells[row["own"]].value
        assert all(cell["low"] <= cell["value"] <= cell["high"] for cell in row["cells"].values())
        assert all(cell["run_ids"] for cell in row["cells"].values())
    refused = fit["rows"][-1]["cells"]["nano/pairs"]
    assert (refused["state"], refused["value"]) == ("failed", None)
    assert "knows the labels positive, negative" in refused["reason"]
    printed = _cli("--store", str(store))
    assert "rows learned, columns asked" in printed
    assert "nothing (zero-shot)" in printed
    assert "✗ what fit learned from nano/sentiment cannot be asked nano/pairs" in printed.replace("\n", " ")

    with Store(store) as opened:
        before = {run.run_id for run in opened.runs()}
    assert run(STUDY, store=store) == board
    with Store(store) as opened:
        assert {each.run_id for each in opened.runs()} == before


def test_without_transfer_there_is_no_matrix() -> None:
    assert "--transfer" in str(render_transfer([]))
