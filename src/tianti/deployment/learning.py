"""A deployed entry learns new data: planned, trained, asked all its old tasks again, compared, promoted or refused.

Everything up to the last step adds runs and nothing else, so whatever stops it leaves the old version current and
unchanged, and the same command goes on where it was. The last step is one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tianti.board.inflation import overlap_note
from tianti.conductor import conduct
from tianti.core.exceptions import IncompatibleError, InputError, TiantiError
from tianti.core.progress import Progress
from tianti.deployment.data import NewData, read_new_data
from tianti.deployment.held_out import check_held_out
from tianti.deployment.judge import Change, Role, Rules, compare_runs, verdict
from tianti.deployment.plan import OldTask, Plan, make_plan, open_tasks
from tianti.deployment.version import Served, Version, find_deployment, numbered, row_key
from tianti.models import check_device
from tianti.store import UPDATES, Run, Store
from tianti.study import Trial
from tianti.tasks import Task


@dataclass(frozen=True)
class Lesson:
    """What is to be learned by which entry, and how: as `tianti update` is told it."""

    entry: str
    data: Path | None = None
    task: str | None = None
    strategy: str | None = None
    """That of a stream's row, else `separate`, where it is not given."""
    method: str | None = None
    """What trains an entry that itself trains nothing; lora where it is not given."""
    rules: Rules = field(default_factory=Rules)
    allow_overlap: bool = False
    """Whether test samples of the entry's tasks may be learned."""
    device: str = "auto"


@dataclass(frozen=True)
class Update:
    """What became of an update: `version` was made of `before`, and is `current` or was refused.

    `known`: the current version had learned this data already, and nothing was done. `again`: the same was refused
    before, by the same rules, and nothing was trained or asked anew.
    """

    before: Version
    version: Version
    promoted: bool
    changes: tuple[Change, ...] = ()
    reason: str = ""
    known: bool = False
    again: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Planned:
    """What an update would do: from which version, what is learned, and by which trials."""

    first: Version
    before: Version
    old: tuple[OldTask, ...]
    new: NewData
    plan: Plan


def plan_update(store: Store, lesson: Lesson, folder: Path | None = None) -> Planned:
    """What the update would do; the new data is kept in `folder`, by default the store's. Nothing else is written.

    Raises:
        InputError: entry, data, task, strategy or method cannot be used, or the data holds test samples.
        StoreError: the entry's model or tasks are not what they were.
    """
    first = find_deployment(store, lesson.entry)
    current = store.deployments.current(first.entry)
    before = Version.of(current) if current else first
    old = open_tasks(store, before)
    kept = folder or store.folder / UPDATES
    new = read_new_data(kept, [each.task for each in old], lesson.data, lesson.task)
    known = new.digest in before.learned
    if lesson.data is None and new.extends is not None and not known:
        raise InputError(
            f"{new.task.info.name} is a task of {before.name} already, and nothing new is given",
            remedy="name new examples of it: --data new.jsonl",
        )
    if not known and not lesson.allow_overlap:
        check_held_out(new, [each.task for each in old], lesson.data)
    plan = make_plan(before, old, new, lesson.strategy, lesson.method, lesson.device)
    return Planned(first, before, tuple(old), new, plan)


def learn_on(store: Store, lesson: Lesson, progress: Progress) -> Update:
    """Let an entry learn new data, and promote what comes of it if the rules allow.

    Raises:
        InputError: as `plan_update`.
        IncompatibleError: model, method, strategy and tasks do not fit together.
        StoreError: the results cannot be kept, or another update was promoted meanwhile.
    """
    check_device(lesson.device)
    planned = plan_update(store, lesson)
    first, new, plan = planned.first, planned.new, planned.plan
    begun = Version.of(store.deployments.begin(first.entry, first.name, first.content))
    before = begun if planned.before == first else planned.before
    if new.digest in before.learned:
        return Update(before, before, True, reason="it has learned this data already", known=True)
    runs = _measure(store, plan.trials, progress)
    earlier = _measure_before(store, plan, progress)
    served, changes = _outcome(store, plan, new, runs, earlier)
    promoted, reason = verdict(changes, lesson.rules)
    made = Version(
        entry=before.entry,
        name=before.name,
        number=0,
        state="promoted" if promoted else "refused",
        served=served,
        adaptation=before.adaptation,
        row=row_key(store, store.run(served[0].runs[0])),
        strategy=plan.strategy,
        parent=before.number,
        learned=(*before.learned, new.digest),
        changes=tuple(asdict(change) for change in changes),
        rules=asdict(lesson.rules),
        reason=reason,
    )
    deployments = store.deployments
    earlier_versions = len(deployments.versions(before.entry))
    record = (
        deployments.promote(before.entry, made.content, before.number)
        if promoted
        else deployments.refuse(before.entry, made.content)
    )
    again = not promoted and record.number <= earlier_versions
    return Update(before, numbered(made, record), promoted, tuple(changes), reason, again=again)


def _measure(store: Store, trials: list[Trial], progress: Progress) -> Mapping[str, Run]:
    """The finished runs of these trials, by trial id.

    Raises:
        IncompatibleError: one does not fit.
        TiantiError: one failed.
    """
    found: dict[str, Run] = {}
    for outcome in conduct(trials, store, progress):
        if outcome.state == "refused":
            raise IncompatibleError(f"{outcome.trial.title}: {outcome.reason}")
        if outcome.state == "failed":
            raise TiantiError(f"{outcome.trial.title}: {outcome.reason}")
        found[outcome.trial.id] = outcome.run
    return found


def _measure_before(store: Store, plan: Plan, progress: Progress) -> tuple[str, ...]:
    """The runs of the old version on a new task; none where it has no way of answering it."""
    outcomes = list(conduct(plan.before, store, progress))
    for outcome in outcomes:
        if outcome.state == "failed":
            raise TiantiError(f"{outcome.trial.title}: {outcome.reason}")
    if any(outcome.state == "refused" for outcome in outcomes):
        return ()
    return tuple(outcome.run.run_id for outcome in outcomes)


def _outcome(
    store: Store, plan: Plan, new: NewData, runs: Mapping[str, Run], earlier: tuple[str, ...]
) -> tuple[tuple[Served, ...], list[Change]]:
    """What the new version answers with, and how that compares."""
    served, changes = [], []
    for old, trials in plan.old:
        before = old.served
        ids = tuple(runs[trial.id].run_id for trial in trials) or before.runs
        served.append(Served(before.task, before.reference, before.fingerprint, ids))
        role: Role = "new examples" if old.task is new.extends else "old"
        changes.append(_change(store, old.task, role, before.runs, ids))
    if plan.new:
        ids = tuple(runs[trial.id].run_id for trial in plan.new)
        name = new.task.info.name
        served.append(Served(name, new.reference, new.task.fingerprint, ids))
        changes.append(_change(store, new.task, "new", earlier, ids))
    return tuple(served), changes


def _change(store: Store, task: Task, role: Role, before: Sequence[str], after: Sequence[str]) -> Change:
    """How a task's score changed, and what of its test the new version has learned."""
    overlap = overlap_note([store.run(run_id).cost.get("contamination", {}) for run_id in after])
    return replace(compare_runs(store, task, role, before, after), overlap=overlap)
