"""Run a study until its ranking is decided: every two entries in order, or tied within δ.

All entries are asked the same samples in one random order, which is fixed before the first answer: by the seed in every
trial's manifest, the task's fingerprint and the sample's id. After each round those entries stop of which every
comparison is decided; what is said holds however many rounds there are (`tianti.stats.sequential`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tianti.adapt import settings
from tianti.conductor import Conductor, Outcome
from tianti.core.exceptions import IncompatibleError, InputError, StoreError, StudyError, TiantiError
from tianti.core.fingerprint import fingerprint
from tianti.core.progress import Progress
from tianti.core.wording import counted
from tianti.evaluation.bounds import mean_bounds
from tianti.models import LoadedModel
from tianti.sequential.asking import Asking
from tianti.stats.moments import Array
from tianti.stats.sequential import Bank, Order, Ranking, committed_order
from tianti.store import Store
from tianti.study import Study, Trial
from tianti.tasks import Task

LEVEL = 0.95
FIRST_ROUND = 64
GROWTH = 1.25
"""Each round reaches this much further: few rounds, so that large models are seldom loaded again."""

ENTRIES_NEEDED = 2


@dataclass
class Examinee:
    """An entry while it is asked: its trials by task fingerprint, one per seed."""

    trials: Mapping[str, Sequence[Asking]]

    def ask(self, order: Sequence[tuple[str, str]]) -> tuple[Array, Array]:
        """Ask these samples of all seeds; the least and the greatest value that each can have."""
        for task, trials in self.trials.items():
            samples = [sample for of, sample in order if of == task]
            for trial in trials:
                trial.ask(samples)
        bounds = {task: [trial.bounds() for trial in trials] for task, trials in self.trials.items()}
        found = np.array([mean_bounds(bounds[task], sample) for task, sample in order])
        return found[:, 0], found[:, 1]


def conduct_until_decided(
    study: Study,
    planned: Sequence[Trial],
    store: Store,
    progress: Progress,
    loaded_models: Sequence[LoadedModel] = (),
) -> list[Outcome]:
    """Run the trials of a study until every comparison of its entries is decided; what became of each trial.

    An entry of which a trial cannot be run takes no part: its mean would not be of the same tasks.

    Raises:
        StudyError: a task has no mean of values in [0, 1], there are fewer than two entries, or several workers.
    """
    check_tasks([trial.task for trial in planned])
    if study.workers not in ("auto", 1):
        raise StudyError(
            f"until decided runs in one process, and {study.workers} workers were asked for: after each round all "
            "answers are looked at together",
            remedy="leave out workers",
        )
    family = _family(study, planned)
    if found := _decided_before(planned, store, family):
        return found
    _check_order(study.order_seed, planned, store)
    conductor = Conductor(store, progress, loaded_models)
    askings = {trial.id: Asking(trial, conductor) for trial in planned}
    samples: dict[str, list[str]] = {}
    outcomes = dict(_make_ready(askings.values(), samples, progress))
    examinees, left = _examinees(
        [each for each in askings.values() if each.trial.id not in outcomes], planned
    )
    for asking in left:
        reason = "left out: another trial of this entry cannot be run, and its mean would be of fewer tasks"
        outcomes[asking.trial.id] = Outcome(asking.trial, asking.fail(reason), "refused", reason)
    if len(examinees) < ENTRIES_NEEDED:
        raise StudyError(
            f"{counted(len(examinees), 'entry', 'entries')} to compare: a ranking is decided between two or more",
            remedy="; ".join(
                [*(outcome.reason for outcome in outcomes.values()), "add a model or an adaptation"]
            ),
        )
    order = committed_order(samples, study.order_seed)
    tasks = {trial.task.fingerprint: trial.task for trial in planned}
    bank = Bank(order.sizes, {key: tasks[key].metrics[0].chance for key in order.sizes})
    progress.say(f"order of {counted(bank.size, 'sample')}: seed {order.seed}, sha256 {order.sha256}")
    _ask_rounds(examinees, order, bank, study.delta / 100, progress)
    for asking in askings.values():
        if asking.trial.id not in outcomes:
            outcomes[asking.trial.id] = _finish(asking, order, bank, study, family)
    return [outcomes[trial.id] for trial in planned]


def check_tasks(tasks: Iterable[Task]) -> None:
    """Raise StudyError where a task's main metric cannot be bet on."""
    for task in tasks:
        metric = task.metrics[0]
        why = ""
        if metric.scale == "ratio":
            why = "is no mean over samples"
        elif not metric.higher_is_better:
            why = "is better when lower"
        elif metric.chance is not None and not 0 <= metric.chance < 1:
            why = f"has a chance level of {metric.chance}"
        if why:
            raise StudyError(
                f"{task.info.name}: its metric {metric.name} {why}, so it is no part of a mean that could be decided",
                remedy="leave the task out, or run the study without --until",
            )


def rounds(size: int) -> Iterator[tuple[int, int]]:
    """Beginning and end of each round over the order of `size` samples."""
    start = 0
    while start < size:
        end = min(size, max(start + FIRST_ROUND, math.ceil(start * GROWTH)))
        yield start, end
        start = end


def _make_ready(
    askings: Collection[Asking], samples: dict[str, list[str]], progress: Progress
) -> Iterator[tuple[str, Outcome]]:
    """Adapt every trial, and note the samples of its task; yields those that cannot be run."""
    with progress.meter("making ready", len(askings)) as meter:
        for asking in askings:
            trial = asking.trial
            try:
                found = asking.check()
                known = samples.setdefault(trial.task.fingerprint, found)
                if set(known) != set(found):
                    raise IncompatibleError(
                        f"{trial.title} would be asked other samples than the entries before it",
                        remedy="leave it out, or run the study without --until",
                    )
            except StoreError:
                raise
            except IncompatibleError as error:
                yield trial.id, Outcome(trial, asking.fail(str(error)), "refused", str(error))
            except TiantiError as error:
                yield trial.id, Outcome(trial, asking.fail(str(error)), "failed", str(error))
            meter.advance(note=trial.title)


def _examinees(askings: Sequence[Asking], planned: Sequence[Trial]) -> tuple[list[Examinee], list[Asking]]:
    """The entries of which every trial can be run, and the trials of the others."""
    wanted = Counter(_entry(trial) for trial in planned)
    grouped: dict[str, list[Asking]] = {}
    for asking in askings:
        grouped.setdefault(_entry(asking.trial), []).append(asking)
    found, left = [], []
    for key, members in grouped.items():
        if len(members) < wanted[key]:
            left += members
            continue
        tasks: dict[str, list[Asking]] = {}
        for asking in members:
            tasks.setdefault(asking.trial.task.fingerprint, []).append(asking)
        found.append(Examinee(tasks))
    return found, left


def _entry(trial: Trial) -> str:
    """Trials with this key belong to one entry."""
    return fingerprint([trial.model.fingerprint, trial.adaptation.name, settings(trial.adaptation)])


def _family(study: Study, planned: Sequence[Trial]) -> str:
    """What a decision is about: these trials, this order, this δ."""
    return fingerprint([sorted(trial.id for trial in planned), study.delta, LEVEL])


def _check_order(seed: int, planned: Sequence[Trial], store: Store) -> None:
    """Raise StudyError where these entries were asked in another order: who may choose one may choose a result."""
    entries = {(trial.model.fingerprint, trial.task.fingerprint) for trial in planned}
    for run in store.runs():
        other = run.manifest.get("order", {}).get("seed", seed)
        key = (run.manifest["model"]["fingerprint"], run.manifest["task"]["fingerprint"])
        if other != seed and key in entries and run.answers_count:
            raise StudyError(
                f"order_seed {seed}: {run.manifest['model']['name']} has answers to {run.manifest['task']['name']} in "
                f"the order of seed {other}, and an order is chosen once, before the first answer",
                remedy=f"go on with --order-seed {other}, or use another store",
            )


def _decided_before(planned: Sequence[Trial], store: Store, family: str) -> list[Outcome]:
    """The outcomes of a study that was decided as it stands; empty where it was not."""
    runs = [store.find_run(trial.id) for trial in planned]
    outcomes = [
        Outcome(trial, run, "found")
        for trial, run in zip(planned, runs, strict=True)
        if run is not None and run.state == "finished" and run.cost.get("decided", {}).get("family") == family
    ]
    return outcomes if len(outcomes) == len(planned) else []


def _ask_rounds(
    examinees: Sequence[Examinee], order: Order, bank: Bank, delta: float, progress: Progress
) -> None:
    """Ask round after round those that are not settled; what was asked before is read, not asked again."""
    ranking = Ranking(len(examinees), bank, delta=delta, level=LEVEL)
    running = np.ones(len(examinees), dtype=bool)
    with progress.meter("samples until the ranking is decided", bank.size) as meter:
        for start, end in rounds(bank.size):
            items = order.items[start:end]
            values = [examinees[index].ask(items) for index in np.flatnonzero(running).tolist()]
            low, high = (np.array([pair[side] for pair in values]) for side in (0, 1))
            ranking.take(low, high, [task for task, _ in items], running)
            running &= ~ranking.decisions().settled
            meter.advance(end - start, note=f"{counted(int(running.sum()), 'entry', 'entries')} to go")
            if not running.any():
                return


def _finish(asking: Asking, order: Order, bank: Bank, study: Study, family: str) -> Outcome:
    facts = {
        "decided": {
            "family": family,
            "order_seed": order.seed,
            "order_sha256": order.sha256,
            "sizes": dict(bank.sizes),
            "delta": study.delta,
            "level": LEVEL,
        }
    }
    asked = asking.asked_now
    try:
        run = asking.finish(facts)
    except InputError as error:
        return Outcome(asking.trial, asking.fail(str(error)), "failed", str(error))
    return Outcome(asking.trial, run, "measured" if asked else "found")
