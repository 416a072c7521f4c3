"""`tianti battles` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tianti.cli import main

Run = Callable[..., tuple[int, str, str]]
VOTES = """left,right,winner,worker,la,lb
a,b,left,v1,10,5
b,a,left,v1,8,6
a,b,tie,v2,5,5
b,c,left,v2,9,2
c,b,left,v3,7,7
c,a,right,v3,1,6
a,c,right,v1,2,4
c,a,tie,v2,3,4
b,c,both_bad,v3,3,9
"""


@pytest.fixture
def tianti(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("votes.csv").write_text(VOTES)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = 0
        try:
            main(list(arguments))
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_it_prints_a_table(tianti: Run) -> None:
    status, output, _ = tianti("battles", "votes.csv")
    assert status == 0
    assert "3 models, 8 battles of 9 rows; 2 ties among them; 1 with both bad" in output
    assert "clustered by 3 values of worker" in output


def test_it_prints_json_and_takes_its_options(tianti: Run) -> None:
    status, output, _ = tianti(
        "battles", "votes.csv", "--json", "--ties", "half", "--prior", "1", "--style", "la:lb", "--anchor", "c",
        "--level", "0.9", "--voter", "none", "--left", "left", "--right", "right", "--winner", "winner",
    )  # fmt: skip
    found = json.loads(output)
    assert status == 0
    assert (found["level"], found["anchor"], found["clusters"], found["n"]) == (0.9, "c", [], 8)
    assert found["style"][0]["first"] == "la"
    _, output, _ = tianti(
        "battles", "votes.csv", "--json", "--limit-to", "a", "--limit-to", "b", "--ties", "half"
    )
    assert [model["name"] for model in json.loads(output)["models"]] == ["a", "b"]
    _, output, _ = tianti(
        "battles", "votes.csv", "--json", "--leave-out", "c", "--prompt", "la", "--ties", "drop"
    )
    assert [each["column"] for each in json.loads(output)["clusters"]] == ["worker", "la"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("vote.csv",), "did you mean votes.csv"),
        (("votes.csv", "--ties", "halves"), "ties: expected davidson, half, drop, got 'halves'"),
        (("votes.csv", "--winner", "la"), "row 1: la is '10', expected one of"),
        (("votes.csv", "--anchor", "d"), "unknown model 'd'"),
        (("votes.csv", "--level", "95"), "a confidence level of 95"),
        (("votes.csv", "--limit-to", "a"), "no battle is left of 9 rows"),
    ],
)
def test_errors_are_one_line_and_a_remedy(tianti: Run, arguments: tuple[str, ...], says: str) -> None:
    status, output, error = tianti("battles", *arguments)
    assert (status, output) == (1, "")
    assert says in error
    assert len(error.splitlines()) <= 2


def test_models_that_no_battle_links_are_an_error(tianti: Run) -> None:
    Path("apart.csv").write_text("left,right,winner\na,b,left\nb,a,left\nc,d,left\nd,c,left\n")
    status, _, error = tianti("battles", "apart.csv")
    assert status == 1
    assert "c, d met none of the others" in error
    assert "--leave-out" in error
