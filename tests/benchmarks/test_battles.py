"""The benchmark of battles compares like with like. No time is looked at."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
specification = importlib.util.spec_from_file_location("benchmark_battles", BENCHMARKS / "battles.py")
assert specification is not None
assert specification.loader is not None
battles = importlib.util.module_from_spec(specification)
sys.modules["benchmark_battles"] = battles
specification.loader.exec_module(battles)


def test_a_quick_run_agrees_and_prints_every_side(capsys: pytest.CaptureFixture[str]) -> None:
    battles.main(["--quick"])
    output = capsys.readouterr().out
    for name in ("ours, Davidson clustered by voter", "evalica bradley_terry", "choix ilsr_pairwise"):
        assert f"| {name} |" in output
    assert "20,000 battles, 20 models" in output
