"""What a new version of an entry is made of: which trials answer which tasks after it has learned.

A row has a model for each task, or, if it is one of a stream, one model for all. The strategy says what the new version
is. `separate` leaves the row's models as they are and gives a new task one of its own; more examples of an old task are
learned by that task's model alone, from where it stands. Any other strategy makes one model for all: a stream whose
last stage is the new data, and whose earlier stages are the old tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tianti.adapt import Chain, Continual, Transfer, Update, ZeroShot, label, parse_adaptation
from tianti.adapt.continual import parse_strategy, short
from tianti.core.exceptions import IncompatibleError, StoreError
from tianti.deployment.data import NewData
from tianti.deployment.version import Served, Version
from tianti.models import LoadOptions, Model, open_model
from tianti.store import Run, Store
from tianti.study import Trial, full_notation, repeat_command
from tianti.tasks import Task, load_tasks

SEPARATE = "separate"
METHOD = "lora"
"""What trains where the entry itself trains nothing."""


@dataclass(frozen=True)
class OldTask:
    """A task of the current version, opened again, with the runs that answer it."""

    served: Served
    task: Task
    runs: tuple[Run, ...]

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self.runs[0].manifest

    @property
    def adaptation(self) -> Any:
        return parse_adaptation(full_notation(self.manifest))

    @property
    def seeds(self) -> list[int]:
        return [run.manifest["seed"] or 0 for run in self.runs]

    @property
    def include(self) -> tuple[Path, ...]:
        return tuple(Path(folder) for folder in self.manifest["task"]["include"])


@dataclass(frozen=True)
class Plan:
    """The trials of a new version: of each old task (none where its model stays as it is), and of a new task.

    `before` are the trials that say what the old version makes of a new task, `standing` those that it is made of.
    """

    strategy: str
    old: tuple[tuple[OldTask, tuple[Trial, ...]], ...]
    standing: tuple[Trial, ...]
    new: tuple[Trial, ...] = ()
    before: tuple[Trial, ...] = ()

    @property
    def trials(self) -> list[Trial]:
        """All that must be finished, in the order in which it is learned: the new data first, as it may not fit."""
        return [*self.new, *(trial for _, trials in self.old for trial in trials)]


def open_tasks(store: Store, version: Version) -> list[OldTask]:
    """The tasks of a version, opened again.

    Raises:
        StoreError: one is not what it was when its runs were measured.
    """
    found = []
    for served in version.served:
        runs = tuple(store.run(run_id) for run_id in served.runs)
        include = [Path(folder) for folder in runs[0].manifest["task"]["include"]]
        tasks = {task.fingerprint: task for task in load_tasks(served.reference, include)}
        if served.fingerprint not in tasks:
            raise StoreError(
                f"{served.task}: its data or its prompt is not what it was when {version.name} was measured, so the "
                "old and the new version cannot be compared on it",
                remedy="put it back as it was, or run the entry anew: " + repeat_command(runs[0].manifest),
            )
        found.append(OldTask(served, tasks[served.fingerprint], runs))
    return found


def make_plan(
    version: Version,
    old: Sequence[OldTask],
    new: NewData,
    strategy: str | None,
    method: str | None,
    device: str,
) -> Plan:
    """What learning `new` takes.

    Raises:
        IncompatibleError: the strategy does not fit the entry.
        UnknownNameError, InputError: no such strategy or method, or one that cannot be used.
    """
    if method is not None and parse_adaptation(version.adaptation).trains:
        raise IncompatibleError(
            f"{version.name} trains by itself, and goes on as it is", remedy="leave --method out"
        )
    own = old[0].adaptation
    stream = own if isinstance(own, Continual) else None
    text = strategy or (stream.strategy if stream else SEPARATE)
    making = _Making(version, old, new, method, _Cells(old, device))
    policy = parse_strategy(text)
    if policy.name == SEPARATE and stream is None:
        return making.separate()
    if policy.learns == "one alone" and (stream is None or new.extends is not None):
        raise IncompatibleError(
            f"{policy.name} learns each task by itself from the start, and "
            + (
                "that is what separate does with this row"
                if stream is None
                else "has no way to go on with one"
            ),
            remedy="--strategy separate" if stream is None else "--strategy replay, or joint",
        )
    return making.stream(text, stream)


class _Cells:
    """Trials of the version's model, asked as its runs were."""

    def __init__(self, old: Sequence[OldTask], device: str) -> None:
        self.old = old
        manifest = old[0].manifest
        model, engine = manifest["model"], manifest["engine"]
        revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
        self.model: Model = open_model(model["reference"] + revision)
        if self.model.fingerprint != model["fingerprint"]:
            raise StoreError(
                f"{model['name']}: its weights are not what they were when the entry was measured",
                remedy="put them back as they were, or run the entry anew: " + repeat_command(manifest),
            )
        self.options = LoadOptions(device, engine["dtype"], "auto", engine.get("name", "transformers"))
        self.seeds = list(dict.fromkeys(seed for task in old for seed in task.seeds))
        limits = [task.manifest["limit"] for task in old]
        self.limit = None if None in limits else max(limits)

    def of_old(self, task: OldTask, adaptation: Any) -> tuple[Trial, ...]:
        return tuple(
            Trial(self.model, adaptation, task.task, seed, task.manifest["limit"], self.options, task.include)
            for seed in _seeds(adaptation, task.seeds)
        )

    def of_new(self, task: Task, adaptation: Any) -> tuple[Trial, ...]:
        return tuple(
            Trial(self.model, adaptation, task, seed, self.limit, self.options)
            for seed in _seeds(adaptation, self.seeds)
        )


@dataclass(frozen=True)
class _Making:
    version: Version
    old: Sequence[OldTask]
    new: NewData
    method: str | None
    cells: _Cells

    @property
    def learner(self) -> Any:
        """What trains: the entry's own adaptation, or the method where that trains nothing."""
        own = parse_adaptation(self.version.adaptation)
        return own if own.trains else parse_adaptation(self.method or METHOD)

    def separate(self) -> Plan:
        old = tuple(
            (task, self.cells.of_old(task, self._further(task)) if task.task is self.new.extends else ())
            for task in self.old
        )
        if self.new.extends is not None:
            return Plan(SEPARATE, old, self._standing())
        return Plan(
            SEPARATE, old, self._standing(), self.cells.of_new(self.new.task, self.learner), self._untrained()
        )

    def stream(self, strategy: str, own: Continual | None) -> Plan:
        """One model for all: the old stream, or the old tasks, and then the new data."""
        policy = parse_strategy(strategy)
        if own is not None:
            earlier, references, method = own.tasks, own.stream, own.method
        else:
            earlier = tuple(task.task for task in self.old)
            references = tuple(task.served.reference for task in self.old)
            method = str(label(self.learner))
        tasks, references = (*earlier, self.new.task), (*references, self.new.reference)
        known = [task.fingerprint for task in tasks]

        def after(fingerprint: str) -> Continual:
            stage = policy.asked_at(len(tasks), known.index(fingerprint), len(tasks))
            return Continual.over(tasks, references, method=method, strategy=strategy, stage=stage)

        old = tuple((task, self.cells.of_old(task, after(task.served.fingerprint))) for task in self.old)
        if self.new.extends is not None:
            return Plan(short(policy), old, self._standing())
        before = self._untrained()
        if own is not None and own.policy.learns == "in turn":
            then = Continual.over(
                tasks, references, method=own.method, strategy=own.strategy, stage=len(earlier)
            )
            before = self.cells.of_new(self.new.task, then)
        learned = self.cells.of_new(self.new.task, after(self.new.task.fingerprint))
        return Plan(short(policy), old, self._standing(), learned, before)

    def _further(self, task: OldTask) -> Any:
        """What answers an old task, as it goes on learning on the new examples."""
        now = task.adaptation
        if not now.trains:
            return Transfer(self.learner, self.new.reference)
        further = Update(data=self.new.reference)
        if isinstance(now, Transfer):
            return Transfer(_chained(now.base, further), now.data)
        return _chained(now, further)

    def _standing(self) -> tuple[Trial, ...]:
        return tuple(trial for task in self.old for trial in self.cells.of_old(task, task.adaptation))

    def _untrained(self) -> tuple[Trial, ...]:
        return self.cells.of_new(self.new.task, ZeroShot())


def _chained(adaptation: Any, further: Update) -> Chain:
    """The adaptation with one more step behind its last trained one."""
    steps = list(getattr(adaptation, "steps", (adaptation,)))
    place = 1 + max(number for number, step in enumerate(steps) if step.trains)
    return Chain((*steps[:place], further, *steps[place:]))


def _seeds(adaptation: Any, seeds: Sequence[int]) -> Sequence[int | None]:
    return list(seeds) if adaptation.seeded else [None]
