"""What stands on a model's page of its runs: each training once, under what was learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charted import TASKS, cost
from tianti.board.snapshot import Snapshot, take_snapshot
from tianti.store import Store
from tianti.web.model_runs import trainings
from worlds import World

STREAM = [World().task(name) for name in TASKS]


def _asked(folder: Path, adaptations: dict[str, dict[str, Any]]) -> Snapshot:
    """Both tasks asked of each adaptation, whose runs' manifests say so much more of it."""
    world = World(items=20)
    with Store(folder / "store") as store:
        for adaptation in adaptations:
            for task in TASKS:
                world.record(store, "nano:llama", adaptation, task, 0.8, learned=cost(40_000, 64))
        snapshot = take_snapshot(store)
    runs = {}
    for run_id, recorded in snapshot.runs.items():
        manifest = recorded.run.manifest
        said = manifest["adaptation"] | adaptations[manifest["adaptation"]["label"]]
        runs[run_id] = replace(recorded, run=replace(recorded.run, manifest=manifest | {"adaptation": said}))
    return replace(snapshot, runs=runs)


@pytest.mark.parametrize(
    ("strategy", "stage", "heading"), [("plain", 2, "sentiment → topics"), ("joint", 2, "sentiment + topics")]
)
def test_the_losses_of_a_stream_stand_once_under_its_tasks(
    tmp_path: Path, strategy: str, stage: int, heading: str
) -> None:
    settings = {"method": "lora", "strategy": strategy, "stage": stage}
    said = {"name": "continual", "settings": settings, "stream": STREAM}
    snapshot = _asked(tmp_path, {"streamed": said})
    assert [training.task for training in trainings(snapshot.board, snapshot.runs)] == [heading]


def test_the_losses_of_a_transfer_stand_once_under_the_task_that_was_learned(tmp_path: Path) -> None:
    said = {
        "settings": {"from": "some/sentiment.yaml"},
        "data": {"some/sentiment.yaml": STREAM[0]["fingerprint"]},
    }
    snapshot = _asked(tmp_path, {"lora from some/sentiment.yaml": said})
    assert [training.task for training in trainings(snapshot.board, snapshot.runs)] == ["sentiment"]


def test_tasks_that_are_learned_by_themselves_have_a_curve_each(tmp_path: Path) -> None:
    snapshot = _asked(tmp_path, {"lora": {}})
    assert sorted(training.task for training in trainings(snapshot.board, snapshot.runs)) == sorted(TASKS)
