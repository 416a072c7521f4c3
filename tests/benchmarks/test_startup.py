"""What is waited for is what is measured. No time is looked at."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tianti.store import Store

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "startup.py"


@pytest.fixture(scope="module")
def startup() -> ModuleType:
    specification = importlib.util.spec_from_file_location("startup", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_table_with_a_row_for_each(startup: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    startup.main(["--repeat", "1", "--only", "help"])
    *_, row = capsys.readouterr().out.splitlines()
    name, *seconds, limit, _ = [cell.strip() for cell in row.strip("|").split("|")]
    assert (name, limit) == ("help", "0.3")
    assert len({float(number) for number in seconds}) == 1


def test_a_missed_limit_is_told_and_no_failure(
    startup: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(startup.MEASURES, "answer", lambda folder: 5.1)
    monkeypatch.setitem(startup.MEASURES, "help", lambda folder: 0.3)
    startup.main(["--only", "answer,help"])
    missed, kept = capsys.readouterr().out.splitlines()[2:]
    assert missed == "| answer | 5.10 | 5.10 | 5.10 | 5.0 | MISSED |"
    assert kept == "| help | 0.30 | 0.30 | 0.30 | 0.3 | within |"


def test_an_answer_counts_when_another_process_can_read_it(startup: ModuleType, tmp_path: Path) -> None:
    from tianti.evaluation.answer import Answer

    database = tmp_path / "tianti.sqlite"
    assert startup._answers(database) == 0
    with Store(tmp_path) as store:
        assert startup._answers(database) == 0
        run = store.start_run("a" * 64, {}, {})
        assert startup._answers(database) == 0
        store.append(run.run_id, [Answer("0", 0, "ok", "prompt", "target")])
        assert startup._answers(database) == 1


def test_an_index_that_is_built_again_is_told(
    startup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANTI_CACHE", "")
    names = iter(range(9))

    def build(*_: str) -> float:
        (tmp_path / "cache").mkdir(exist_ok=True)
        (tmp_path / "cache" / f"index-{next(names)}").touch()
        return 1.0

    monkeypatch.setattr(startup, "_whole_process", build)
    with pytest.raises(SystemExit, match="built a second time"):
        startup.measure_index(tmp_path)
    monkeypatch.setattr(startup, "_whole_process", lambda *_: 1.0)
    assert startup.measure_index(tmp_path) == 1.0
