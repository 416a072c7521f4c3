"""Kill the process that writes, anywhere: nothing acknowledged is lost, nothing is doubled, the result is the same."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tianti.store
from tianti.store import Store

WORKER = Path(__file__).with_name("crash_worker.py")
_spec = importlib.util.spec_from_file_location("crash_worker", WORKER)
assert _spec is not None
assert _spec.loader is not None
crash_worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(crash_worker)

TRIAL = "cd" * 32
COUNT, BATCH = 40, 4
SOURCES = Path(tianti.store.__file__).parent
FAILPOINTS = sorted(
    {
        name
        for file in SOURCES.glob("*.py")
        if file.name != "deployments.py"  # tests/deployment/test_killed.py dies there
        for name in re.findall(r'failpoint\("(\w+)"\)', file.read_text())
    }
)


class Worker:
    """The process of `crash_worker.py`."""

    def __init__(self) -> None:
        package_folder = str(SOURCES.parents[1])
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": package_folder},
        )

    def start(self, folder: Path, trial: str = TRIAL, **job: Any) -> int:
        """Begin a job; the process id of its child."""
        job = {"folder": str(folder), "notes": str(folder) + f".{trial[:4]}.notes", "trial": trial, **job}
        self._stdin.write(json.dumps({"count": COUNT, "batch": BATCH, **job}) + "\n")
        self._stdin.flush()
        return int(self._stdout.readline())

    def end(self) -> int:
        """Wait for the child; its exit status."""
        return int(self._stdout.readline())

    @property
    def _stdin(self) -> Any:
        return self.process.stdin

    @property
    def _stdout(self) -> Any:
        return self.process.stdout

    def close(self) -> str:
        """End the process; what it wrote to its error output."""
        return self.process.communicate()[1]


@pytest.fixture(scope="module")
def new_worker() -> Iterator[Callable[[], Worker]]:
    workers: list[Worker] = []

    def new() -> Worker:
        workers.append(Worker())
        return workers[-1]

    yield new
    errors = [worker.close() for worker in workers]
    assert not any("Traceback" in text for text in errors), errors


@pytest.fixture(scope="module")
def worker(new_worker: Callable[[], Worker]) -> Worker:
    return new_worker()


@pytest.fixture(scope="module")
def undisturbed(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    worker.start(folder)
    assert worker.end() == 0
    result = record(folder)
    assert result["state"] == "finished"
    assert result["answers"] == [crash_worker.answer(number) for number in range(COUNT)]
    return result


def record(folder: Path, trial: str = TRIAL) -> dict[str, Any]:
    with Store(folder) as store:
        return crash_worker.record(store, trial)


def notes(folder: Path, kind: str, trial: str = TRIAL) -> list[int]:
    """The samples that the workers noted as `asked` or `acknowledged`, over all their lives."""
    file = Path(str(folder) + f".{trial[:4]}.notes")
    lines = file.read_text().splitlines() if file.exists() else []
    return [number for line in lines if line.startswith(kind) for number in json.loads(line.split(" ", 1)[1])]


def check_nothing_lost(folder: Path, kills: int) -> None:
    """What was acknowledged is there, once, as it was given; and it was asked again only where a kill fell on it."""
    acknowledged = notes(folder, "acknowledged")
    assert len(set(acknowledged)) == len(acknowledged)
    with Store(folder) as store:
        run = store.find_run(TRIAL)
        answers = store.answers(run.run_id) if run else []
        assert (run.answers_count if run else 0) == len(answers)
    numbers = [answer.position for answer in answers]
    assert len(set(numbers)) == len(numbers)
    assert set(acknowledged) <= set(numbers)
    assert answers == [crash_worker.answer(number) for number in numbers]
    assert len(notes(folder, "asked")) <= COUNT + kills * BATCH


def test_every_failpoint_is_walked():
    assert FAILPOINTS == [
        "after_append",
        "after_finish",
        "after_part_rename",
        "before_append_commit",
        "before_finish_commit",
        "before_part_rename",
    ]


@pytest.mark.parametrize(
    "failpoint", [*FAILPOINTS, "after_append:10", "before_append_commit:7", "before_append_commit:10"]
)
def test_dying_at_a_failpoint_changes_nothing(worker, undisturbed, tmp_path, failpoint):
    folder = tmp_path / "store"
    worker.start(folder, environment={"TIANTI_FAILPOINT": failpoint})
    assert worker.end() == 137
    check_nothing_lost(folder, kills=1)
    worker.start(folder)
    assert worker.end() == 0
    check_nothing_lost(folder, kills=1)
    assert record(folder) == undisturbed


def test_dying_at_every_failpoint_in_turn_changes_nothing(worker, undisturbed, tmp_path):
    folder = tmp_path / "store"
    order = ["before_append_commit", "after_append", "before_part_rename", "after_part_rename"]
    order += ["before_finish_commit", "after_finish"]
    for name in order:
        worker.start(folder, environment={"TIANTI_FAILPOINT": name})
        assert worker.end() == 137
    check_nothing_lost(folder, kills=len(order))
    assert record(folder) == undisturbed


def test_kills_at_random_moments_change_nothing(worker, undisturbed, tmp_path):
    moments = random.Random(20260501)
    began = time.perf_counter()
    worker.start(tmp_path / "measured")
    assert worker.end() == 0
    latest = time.perf_counter() - began

    kills = lives = 0
    while kills < 15:
        lives += 1
        assert lives <= 60, "the work ends before it can be killed: make it longer"
        folder = tmp_path / f"store-{lives}"
        deaths, status = 0, None
        while status != 0:
            job = {"dies_after": moments.uniform(0.001, latest)} if deaths < 6 else {}
            worker.start(folder, **job)
            status = worker.end()
            assert status in (0, -signal.SIGALRM)
            deaths += status != 0
            check_nothing_lost(folder, deaths)
        assert record(folder) == undisturbed
        kills += deaths
        if not deaths:
            latest /= 2  # the machine was slow when it was measured


def test_two_processes_write_to_one_new_store_at_once(new_worker, worker, undisturbed, tmp_path):
    folder = tmp_path / "store"
    pair = {worker: "ab" * 32, new_worker(): "ef" * 32}
    for each, trial in pair.items():
        each.start(folder, trial, batch=2)
    assert [each.end() for each in pair] == [0, 0]
    for trial in pair.values():
        result = record(folder, trial)
        assert result == undisturbed


def test_a_limit_on_the_size_of_files_stops_cleanly(worker, undisturbed, tmp_path):
    folder = tmp_path / "store"
    Store(folder).close()
    for _ in range(2):
        worker.start(folder, file_limit=100_000)
        assert worker.end() == crash_worker.FULL
        check_nothing_lost(folder, kills=2)
    assert 0 < len(notes(folder, "acknowledged")) < COUNT
    worker.start(folder)
    assert worker.end() == 0
    assert record(folder) == undisturbed
