"""What a training learned, which is not always the task that was asked afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tianti.adapt import Continual
from tianti.board.results import StreamPlace


def taught(manifest: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The task, or the tasks in their order, that the run of this manifest learned; `names` are those of fingerprints.

    Losses of a stream stand one stage behind the other, as its tasks are named (`a → b`); those of joint training,
    which mixes them in one stage, as a sum (`a + b`). A model for each task has learned one.
    """
    adaptation = manifest["adaptation"]
    settings = adaptation["settings"]
    if adaptation["name"] == Continual.name:
        place = StreamPlace.of(adaptation, manifest["task"])
        tasks = [task["name"] for task in adaptation["stream"]]
        if place.policy.learns == "one alone":
            return str(tasks[place.stage - 1])
        if place.policy.learns == "all at once":
            return " + ".join(tasks)
        return " → ".join(tasks[: place.stage])
    source = settings.get("from")
    if source is not None:
        return names.get(adaptation["data"][source], source)
    return str(manifest["task"]["name"])
