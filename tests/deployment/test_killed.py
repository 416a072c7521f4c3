"""`tianti update`, killed while it trains, while it asks and while it promotes: the old version answers, and the same
command run again completes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tianti.api import run
from tianti.core.progress import Silent
from tianti.deployment import Version, deployed, versions_of
from tianti.evaluation.evaluate import evaluate
from tianti.explain import load_again
from tianti.store import Store

ENTRY = "nano:llama · full(epochs=2, batch=4, max_examples=16)"
# A checkpoint at each step: by the clock this training would be over before the first one. Slow enough to be hit.
PROGRAM = """
import time
import tianti.conductor
from tianti.adapt.checkpoints import Checkpoints
Checkpoints.due = lambda self, *, epoch_ends: time.sleep(0.05) is None
evaluate = tianti.conductor.evaluate
def slowly(*arguments):
    for answers in evaluate(*arguments):
        time.sleep(0.2)
        yield answers
tianti.conductor.evaluate = slowly
from tianti.cli import main
main()
"""
ARGUMENTS = ("update", ENTRY, "--task", "nano/pairs", "--strategy", "replay", "--margin", "100")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store, killed again and again by the tests in their order."""
    folder = tmp_path_factory.mktemp("killed") / "store"
    tasks = ["nano/sentiment", "nano/commonsense-zh"]
    run(
        {"models": ["nano:llama"], "adaptations": [ENTRY.partition(" · ")[2]], "tasks": tasks, "limit": 12},
        store=folder,
    )
    return folder


def start(store: Path, failpoint: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *ARGUMENTS, "--store", str(store), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TIANTI_FAILPOINT": failpoint},
    )


def kill_when(store: Path, reached: Callable[[], bool]) -> None:
    process = start(store)
    until = time.monotonic() + 300
    while not reached() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, f"it ended before it could be killed: {process.communicate()}"


def checkpoints(store: Path) -> int:
    return len(list(store.rglob("checkpoint.json")))


def stages(store: Path) -> int:
    return len(list(store.rglob("adapted.json")))


def staged(store: Path) -> int:
    with sqlite3.connect(store / "tianti.sqlite") as connection:
        (count,) = connection.execute("SELECT count(*) FROM staging").fetchone()
    return int(count)


def check_first_version_answers(store: Path) -> Version:
    """Version 1 is current, and its models answer as they did when they were measured."""
    with Store(store) as opened:
        version = deployed(opened, ENTRY)
        assert version.number == 1
        for served in version.served:
            measured = opened.run(served.runs[0])
            again = load_again(opened, measured, Silent())
            before = {answer.sample_id: answer.values for answer in opened.answers(measured.run_id)}
            shots = again.trial.adaptation.shots(0)
            for answers in evaluate(again.adapted.backend, again.trial.task, shots, 4):
                assert all(answer.values == before[answer.sample_id] for answer in answers)
    return version


def test_killed_while_it_trains(store: Path) -> None:
    trained = stages(store)
    kill_when(store, lambda: checkpoints(store) > 0)
    assert stages(store) == trained
    check_first_version_answers(store)


def test_killed_while_it_asks(store: Path) -> None:
    kill_when(store, lambda: staged(store) > 0)
    check_first_version_answers(store)


def test_killed_at_random_moments(store: Path, tmp_path: Path) -> None:
    store = shutil.copytree(store, tmp_path / "store")
    moments = random.Random(20261126)
    for _ in range(2):
        process = start(store)
        began, wait = time.monotonic(), moments.uniform(1, 6)
        while process.poll() is None and time.monotonic() < began + wait:
            time.sleep(0.01)
        process.kill()
        if process.wait() == 0:  # this machine was faster
            with Store(store) as opened:
                opened.deployments.restore(deployed(opened, ENTRY).entry, 1)
        check_first_version_answers(store)


def test_killed_just_before_the_promotion_is_durable(store: Path) -> None:
    process = start(store, "before_promotion_commit")
    process.communicate(timeout=300)
    assert process.returncode == 137
    first = check_first_version_answers(store)
    with Store(store) as opened:
        assert versions_of(opened, ENTRY).versions == (first,), "the version went with its promotion"


def test_killed_just_after_it_the_new_version_is_current_and_the_same_command_says_so(store: Path) -> None:
    process = start(store, "after_promotion")
    process.communicate(timeout=300)
    assert process.returncode == 137
    with Store(store) as opened:
        version = deployed(opened, ENTRY)
    assert version.number == 2
    again = start(store)
    output, error = again.communicate(timeout=300)
    assert again.returncode == 0, error.decode()
    assert json.loads(output)["known"]
    with Store(store) as opened:
        assert deployed(opened, ENTRY) == version
        states = {each.state for each in opened.runs()}
        opened.deployments.restore(version.entry, 1)
    assert states == {"finished"}
    check_first_version_answers(store)
