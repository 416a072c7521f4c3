"""The benchmark of ranks measures what it says. No time is looked at."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ranks.py"
specification = importlib.util.spec_from_file_location("benchmark_of_ranks", SCRIPT)
assert specification is not None
assert specification.loader is not None
ranks = importlib.util.module_from_spec(specification)
specification.loader.exec_module(ranks)


def test_a_row_for_each_size(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ranks.py", "--quick", "--max-t"])
    ranks.main()
    _, _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows] == ["50 × 500", "100 × 500"]
    assert all(len(row.split("|")) == 12 for row in rows)


def test_answers_have_the_accuracies_asked_for() -> None:
    answers = ranks.simulate(9, 4000)
    assert answers.shape == (9, 4000)
    means = answers.mean(axis=1)
    assert means[0] > means[-1]
    assert means.max() < 0.85
    assert means.min() > 0.25
