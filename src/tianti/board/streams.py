"""What a stream of tasks left: the score of every task after every stage, and the figures that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tianti.adapt import Continual, label
from tianti.adapt.continual import short
from tianti.board.cells import average
from tianti.board.entries import known_sum
from tianti.board.results import Items, Result, StreamPlace, board_runs, read_result
from tianti.core.fingerprint import fingerprint
from tianti.stats.continual import (
    StreamTask,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    learning_accuracy,
)
from tianti.stats.intervals import Interval
from tianti.stats.moments import Array
from tianti.store import Store

if TYPE_CHECKING:
    from tianti.adapt.continual.strategy import Strategy

DEFINITIONS = {
    "average": "mean over all tasks of the score after the last stage (GEM)",
    "backward": "backward transfer: mean over the earlier tasks of the last score − that just after teaching (GEM)",
    "forward": "forward transfer: mean over the later tasks of the score just before teaching − that before any "
    "training (GEM)",
    "forgetting_first": "forgetting, first: mean over the earlier tasks of the score just after teaching − the last",
    "forgetting_best": "forgetting, best: mean over the earlier tasks of the best earlier score, that before any "
    "training left out, − the last one (Chaudhry 2018)",
    "learning": "learning accuracy: mean over all tasks of the score just after teaching (MER)",
    "less_forgotten": "how much less is forgotten (first) than by plain training, on the same items",
    "added_memory_bytes": "the most memory that training added in any stage to what was in use before it: the network "
    "that learns, gradients, optimizer, activations, what the strategy keeps; not the model as it was loaded",
    "router_accuracy": "mean over all tasks of the share of held-out examples that the router sends to their own task",
}
"""What each figure is, as it stands beside it."""


@dataclass(frozen=True)
class Stream:
    """One model that learned a stream by one method and one strategy.

    `matrix[s][k]` is the score on task k after stage s, stage 0 being before any training; None where the strategy has
    no such stage, or its run is missing. Scores are means over items, each over its seeds first. The figures are None
    where something is missing, or is not defined for the strategy (joint training has one stage, and forgets nothing).
    """

    model: str
    method: str
    strategy: str
    tasks: tuple[str, ...]
    seeds: tuple[int | None, ...]
    matrix: tuple[tuple[float | None, ...], ...]
    average: Interval | None = None
    backward: Interval | None = None
    forward: Interval | None = None
    forgetting_first: Interval | None = None
    forgetting_best: Interval | None = None
    learning: Interval | None = None
    less_forgotten: Interval | None = None
    at_once: bool = False
    """Whether all tasks are learned in one stage, which is the last."""
    training_seconds: float | None = None
    """Of all stages, per seed. This, the memory and the size are None where not all stages are finished."""
    added_memory_bytes: int | None = None
    """The most that training added, in any stage, with any seed, to what was in use before; None where none counted."""
    kept_bytes: int | None = None
    """What it takes to go on: the weights that were trained, what the strategy keeps, samples at 4 bytes a token."""
    router_accuracy: float | None = None
    """How well the strategy tells the tasks apart; None where it does not, or a task has no such figure. The scores are
    those of the known task: what they would be if the router chose is not measured."""
    missing: int = 0
    """Cells of the matrix that no finished run stands for."""
    reasons: tuple[str, ...] = ()
    """Why, each once; empty where they were not run."""


def read_streams(store: Store, study: str | None = None, level: float = 0.95) -> list[Stream]:
    """The streams of a study, or of the whole store, in the order of their runs."""
    runs = [run for run in board_runs(store, study) if run.manifest["adaptation"]["name"] == Continual.name]
    return streams([read_result(store, run) for run in runs], level)


def streams(results: Sequence[Result], level: float = 0.95) -> list[Stream]:
    """The streams of these results, all of which are of stages of streams."""
    untrained: dict[str, list[Result]] = defaultdict(list)
    learned: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for result in results:
        base = fingerprint([result.model["fingerprint"], result.adaptation["stream"]])
        settings = result.adaptation["settings"]
        if settings["stage"] == 0:
            untrained[base].append(result)
        else:
            learned[base, settings["method"], settings["strategy"]].append(result)
    found = {key: _Grid(results, untrained[key[0]]) for key, results in learned.items()}
    plain = {key[:2]: grid for key, grid in found.items() if grid.policy.name == "plain"}
    return [grid.stream(plain.get(key[:2]), level) for key, grid in found.items()]


def as_json(found: Sequence[Stream]) -> list[dict[str, Any]]:
    """The streams as plain data, with what each figure is."""
    return [asdict(stream) | {"definitions": DEFINITIONS} for stream in found]


class _Grid:
    """The runs of one stream by stage and task."""

    def __init__(self, results: Sequence[Result], untrained: Sequence[Result]) -> None:
        self.some = results[0]
        self.runs: dict[tuple[int, int], list[Result]] = defaultdict(list)
        for result in (*untrained, *results):
            place = StreamPlace.of(result.adaptation, result.task)
            self.runs[place.stage, place.task].append(result)
        self.place = StreamPlace.of(self.some.adaptation, self.some.task)
        self.policy: Strategy = self.place.policy
        self.tasks = self.place.tasks

    def stream(self, plain: _Grid | None, level: float) -> Stream:
        stages = range(self.tasks + 1)
        last = [run for task in range(self.tasks) for run in self.at(self.tasks, task)]
        # The last task's run has the costs of all stages before it; with one model per task each has its own.
        paid = last if self.policy.learns == "one alone" else self.at(self.tasks, self.tasks - 1)
        seeds = tuple(dict.fromkeys(run.seed for run in last))
        asked = [(stage, task) for stage in stages for task in range(self.tasks) if self.asked(stage, task)]
        cells = [run for stage, task in asked for run in self.at(stage, task)]
        found = Stream(
            model=self.some.model["name"],
            method=label(self.place.method),
            strategy=short(self.policy),
            tasks=tuple(task["name"] for task in self.some.adaptation["stream"]),
            seeds=seeds,
            matrix=tuple(tuple(self.score(stage, task) for task in range(self.tasks)) for stage in stages),
            at_once=self.policy.learns == "all at once",
            **_costs(paid, len(seeds)),
            router_accuracy=self.router_accuracy(),
            missing=sum(self.score(stage, task) is None for stage, task in asked),
            reasons=tuple(
                dict.fromkeys(run.reason for run in cells if run.reason and run.state != "finished")
            ),
        )
        return replace(found, **self.figures(plain, level)) if found.missing == 0 else found

    def figures(self, plain: _Grid | None, level: float) -> Mapping[str, Any]:
        tasks = self.stream_tasks()
        if tasks is None:
            return {}
        forward = all(task.before is not None for task in tasks)
        return {
            "average": average_accuracy(tasks, level=level),
            "backward": backward_transfer(tasks, level=level),
            "forward": forward_transfer(tasks, level=level) if forward else None,
            "forgetting_first": forgetting(tasks, "first", level=level),
            "forgetting_best": forgetting(tasks, "best", level=level),
            "learning": learning_accuracy(tasks, level=level),
            "less_forgotten": self.less_forgotten(plain, level),
        }

    def less_forgotten(self, plain: _Grid | None, level: float) -> Interval | None:
        """Forgetting is linear in the values, so that of the differences is the difference, paired item by item."""
        if plain is None or plain is self or self.policy.learns == "all at once":
            return None
        theirs, ours = plain.stream_tasks(), self.stream_tasks()
        if (
            theirs is None
            or ours is None
            or any(other.values.shape != own.values.shape for other, own in zip(theirs, ours, strict=True))
        ):
            return None
        differences = [
            replace(own, values=other.values - own.values) for other, own in zip(theirs, ours, strict=True)
        ]
        return forgetting(differences, "first", level=level)

    def router_accuracy(self) -> float | None:
        """The mean over tasks, each over its seeds first."""
        shares = [
            [run.router_accuracy for run in self.at(self.tasks, task) if run.router_accuracy is not None]
            for task in range(self.tasks)
        ]
        return float(np.mean([np.mean(each) for each in shares])) if all(shares) else None

    def stream_tasks(self) -> list[StreamTask] | None:
        """The values of each task's items after every stage, of the items that were answered after all of them."""
        alone = self.policy.learns == "all at once"
        stages = [self.tasks] if alone else list(range(1, self.tasks + 1))
        found = []
        for task in range(self.tasks):
            rows = [self.items(stage, task) for stage in stages]
            before = self.items(0, task)
            if any(row is None for row in rows):
                return None
            every = [row for row in (*rows, before) if row is not None]
            names = [name for name in every[0].names if all(name in set(row.names) for row in every)]
            if not names:
                return None
            taught = self.policy.taught_at(task, self.tasks) - (self.tasks if alone else 1)
            values = np.array([_values(row, names) for row in rows if row is not None])
            found.append(
                StreamTask(
                    values, taught, _values(before, names) if before else None, _clusters(every[0], names)
                )
            )
        return found

    def at(self, stage: int, task: int) -> list[Result]:
        """The runs of a cell, one for each seed."""
        asked = self.policy.asked_at(stage, task, self.tasks)
        return self.runs[asked, task] if asked is not None else []

    def asked(self, stage: int, task: int) -> bool:
        return self.policy.asked_at(stage, task, self.tasks) is not None

    def items(self, stage: int, task: int) -> Items | None:
        return average([run.items for run in self.at(stage, task) if run.items is not None])

    def score(self, stage: int, task: int) -> float | None:
        scores = [
            run.score.value for run in self.at(stage, task) if run.score and run.score.value is not None
        ]
        return float(np.mean(scores)) if scores else None


def _costs(paid: Sequence[Result], seeds: int) -> dict[str, Any]:
    """What all stages took, per seed; nothing where one is not finished."""
    if not paid or any(run.state != "finished" for run in paid):
        return {}
    added = [run.added_memory_bytes for run in paid if run.added_memory_bytes is not None]
    seconds = known_sum([run.price.training_seconds for run in paid])
    return {
        "training_seconds": None if seconds is None else seconds / seeds,
        "added_memory_bytes": max(added, default=None),
        "kept_bytes": round(sum(run.kept_bytes for run in paid) / seeds),
    }


def _values(items: Items, names: Sequence[str]) -> Array:
    place = {name: index for index, name in enumerate(items.names)}
    values: Array = items.values[[place[name] for name in names]]
    return values


def _clusters(items: Items, names: Sequence[str]) -> tuple[str, ...] | None:
    if items.clusters is None:
        return None
    cluster = dict(zip(items.names, items.clusters, strict=True))
    return tuple(cluster[name] for name in names)
