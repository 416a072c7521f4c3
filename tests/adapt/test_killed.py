"""`tianti run`, killed by SIGKILL while it trains, and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from safetensors.torch import load_file

# A checkpoint at each step: by the clock this training would be over before the first one.
PROGRAM = """
from tianti.adapt.checkpoints import Checkpoints
Checkpoints.due = lambda self, *, epoch_ends: True
from tianti.cli import main
main()
"""
ARGUMENTS = (
    "run", "nano:llama", "--task", "nano/sentiment", "--limit", "4",
    "--adapt", "lora(epochs=3, dropout=0.1, max_examples=48, batch=6)",
)  # fmt: skip


def start(store: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *ARGUMENTS, "--store", str(store)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def step(store: Path) -> int:
    """The step of the last checkpoint, 0 before there is one."""
    try:
        return int(json.loads(next(store.rglob("checkpoint.json")).read_text())["facts"]["step"])
    except (StopIteration, OSError):
        return 0


def kill_after(store: Path, steps: int) -> None:
    process = start(store)
    until = time.monotonic() + 300
    while step(store) < steps and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"


def run(store: Path) -> None:
    process = start(store)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error.decode()


def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    run(tmp_path / "undisturbed")
    kill_after(tmp_path / "killed", 12)
    assert 12 <= step(tmp_path / "killed") < 24
    assert not list((tmp_path / "killed").rglob("adapted.json"))
    run(tmp_path / "killed")
    folders = [next((tmp_path / name).rglob("adapted.json")).parent for name in ("killed", "undisturbed")]
    ours, other = (load_file(folder / "tensors.safetensors") for folder in folders)
    assert ours.keys() == other.keys()
    assert all((ours[name] == other[name]).all() for name in ours)
    costs = [json.loads((folder / "adapted.json").read_text())["cost"] for folder in folders]
    assert costs[0]["train_loss"] == costs[1]["train_loss"]
    assert costs[0]["validation"] == costs[1]["validation"]
    assert costs[0]["loss_by_step"] == costs[1]["loss_by_step"]
    assert costs[0]["loss_steps"] == costs[1]["loss_steps"] == list(range(1, 25))
    assert not list(tmp_path.rglob("checkpoint*"))
