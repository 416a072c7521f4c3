"""`tianti update` as a user meets it: what it prints, its exit status, its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tianti.api import run
from tianti.cli import main
from tianti.tasks import load_tasks

ENTRY = "nano:llama · full(epochs=1, max_examples=32)"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command") / "store"
    adaptations = [ENTRY.partition(" · ")[2]]
    run(
        {"models": ["nano:llama"], "adaptations": adaptations, "tasks": ["nano/sentiment"], "limit": 20},
        store=folder,
    )
    return folder


@pytest.fixture
def update(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            main(["update", *arguments, "--store", str(folder)])
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


def poisoned(path: Path) -> str:
    other = {"positive": "negative", "negative": "positive"}
    (task,) = load_tasks("nano/sentiment(seed=77)")
    rows = [{"text": row["text"], "label": other[row["label"]]} for row in task.rows("train")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_from_the_first_version_to_a_restored_one(update: Command, tmp_path: Path) -> None:
    status, output, _ = update(ENTRY, "--versions")
    assert status == 0
    assert "never deployed" in output
    status, output, _ = update(ENTRY, "--task", "nano/pairs", "--dry-run")
    assert status == 0
    assert "nano/sentiment: its model stays as it is" in output
    assert "Nothing was done." in output
    assert not json.loads(update(ENTRY, "--versions", "--json")[1])["deployed"]

    status, output, _ = update(ENTRY, "--task", "nano/pairs", "--margin", "100")
    assert status == 0
    assert f"promoted: version 2 of {ENTRY} is current" in output
    assert f"tianti update '{ENTRY}' --restore 1 --store" in output

    # Only one task of the entry has these columns, so it need not be named.
    bad = poisoned(tmp_path / "bad.jsonl")
    planned = json.loads(update(ENTRY, "--data", bad, "--dry-run", "--json")[1])["trials"]
    assert any(f"data={bad}" in line["trial"] for line in planned)
    assert not any("task.yaml" in line["trial"] for line in planned)
    status, output, _ = update(ENTRY, "--data", bad, "--margin", "0")
    assert status == 3
    assert "It was refused before" not in output
    assert f"refused: version 2 of {ENTRY} stays current: nano/sentiment falls by " in output
    status, output, _ = update(ENTRY, "--data", bad, "--margin", "0")
    assert status == 3
    assert "It was refused before, as version 3 of 20" in output
    status, output, _ = update(ENTRY, "--data", bad, "--margin", "0", "--json")
    assert status == 3
    found = json.loads(output)
    assert found["again"]
    assert not found["promoted"]
    assert [change["role"] for change in found["changes"]] == ["new examples", "old"]

    status, output, _ = update(ENTRY, "--restore", "1")
    assert (status, output) == (0, f"version 1 of {ENTRY} is current.\n")
    status, _, error = update(ENTRY, "--restore", "3")
    assert status == 1
    assert "version 3 was refused and never current" in error
    listed = json.loads(update(ENTRY, "--versions", "--json")[1])
    assert listed["current"] == 1
    assert [version["state"] for version in listed["versions"]] == ["promoted", "promoted", "refused"]
    assert [each["reason"] for each in listed["history"]] == ["deployed", "promoted", "restored"]


def test_errors_are_one_line_with_a_remedy(update: Command, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "Fine.", "label": "positive"}\n\n{"text": "Fine."}\n')
    status, _, error = update(ENTRY, "--data", str(path), "--task", "nano/sentiment")
    assert status == 1
    assert "bad.jsonl: line 3 has no value in column 'label'" in error
    assert "each line is an object with the columns text, label" in error
    assert "Traceback" not in error
    for arguments, said in (
        (("--versions", "--restore", "1"), "give one of them alone"),
        (("--data", str(tmp_path / "no.jsonl")), "no file"),
        (("--task", "nano/pears"), "did you mean"),
    ):
        status, _, error = update(ENTRY, *arguments)
        assert status == 1
        assert said in error


def test_a_plan_says_what_would_be_refused_and_why(update: Command) -> None:
    status, output, _ = update(ENTRY, "--task", "nano/pairs", "--strategy", "o-lora", "--dry-run")
    assert status == 1
    assert "would be refused (2 trials)" in output
    assert "→ use it over lora or rslora" in output
    assert output.rstrip().endswith(f"{ENTRY} cannot learn it so. Nothing was done.")
