"""The conductor: for each trial of a study adapt, evaluate, store; what is there already is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

from tianti.core.environment import environment, peak_memory_bytes
from tianti.core.exceptions import IncompatibleError, StoreError, TiantiError
from tianti.core.progress import Progress
from tianti.evaluation.evaluate import evaluate
from tianti.evaluation.score import score_answers
from tianti.models import LoadedModel, Model, load_model
from tianti.store import Run, Store
from tianti.study import Trial

SMALL_MODEL = 20_000_000
"""Below so many parameters one thread is faster than several: the work of a step is too little to share."""


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    `found`: finished before, nothing done. `measured`: finished now. `refused`: model, adaptation and task do not fit.
    `failed`: something went wrong; the reason is on record and the next run tries again.
    """

    trial: Trial
    run: Run
    state: Literal["found", "measured", "refused", "failed"]
    reason: str = ""


def conduct(
    trials: Sequence[Trial],
    store: Store,
    progress: Progress,
    loaded_models: Sequence[LoadedModel] = (),
) -> Iterator[Outcome]:
    """Run the trials and yield what became of each, as it becomes so.

    A trial that fails does not stop the others; a store that fails does, as nothing could be kept.

    Args:
        loaded_models: models that are in memory already; the others are loaded when their first trial needs them.
    """
    in_memory = {loaded.model.fingerprint: loaded for loaded in loaded_models}
    with progress.meter("trials", len(trials)) as meter:
        for _, group in groupby(trials, key=lambda trial: trial.model):
            load = _loader(in_memory)
            for trial in group:
                finished = store.find_run(trial.id)
                if finished is not None and finished.state == "finished":
                    outcome = Outcome(trial, finished, "found")
                else:
                    outcome = _conduct_one(trial, load, store, progress)
                meter.advance(note=trial.title)
                yield outcome


def _loader(in_memory: Mapping[str, LoadedModel]) -> Callable[[Trial], LoadedModel]:
    """Loads the model of the first trial that asks, and keeps it for those that follow."""
    kept: list[LoadedModel] = []

    def load(trial: Trial) -> LoadedModel:
        if not kept:
            kept.append(in_memory.get(trial.model.fingerprint) or load_model(trial.model, trial.options))
        return kept[0]

    return load


def _conduct_one(
    trial: Trial, load: Callable[[Trial], LoadedModel], store: Store, progress: Progress
) -> Outcome:
    run = store.start_run(trial.id, trial.manifest, environment())
    try:
        loaded = load(trial)
        trial.adaptation.check(loaded, trial.task)
        return Outcome(trial, _measure(trial, loaded, run, store, progress), "measured")
    except StoreError:
        raise
    except IncompatibleError as error:
        return Outcome(trial, store.fail_run(run.run_id, str(error)), "refused", str(error))
    except TiantiError as error:
        return Outcome(trial, store.fail_run(run.run_id, str(error)), "failed", str(error))
    except Exception as error:
        # A bug or a broken library: on record, so that the board shows it, and raised, so that somebody sees it.
        store.fail_run(run.run_id, f"{type(error).__name__}: {error}")
        raise


def _measure(trial: Trial, loaded: LoadedModel, run: Run, store: Store, progress: Progress) -> Run:
    _set_threads(trial.model)
    seed = trial.seed or 0
    started = time.perf_counter()
    folder = store.adapted_folder(trial.id)
    adapted = trial.adaptation.adapt(loaded, trial.task, seed, folder, progress)
    adapted_at = time.perf_counter()

    expected = trial.task.count(trial.limit)
    answered = frozenset(store.answered(run.run_id))
    shots = trial.adaptation.shots(seed)
    with progress.meter(trial.title, expected) as meter:
        meter.advance(len(answered))
        for answers in evaluate(adapted.backend, trial.task, shots, trial.limit, answered):
            store.append(run.run_id, answers)
            meter.advance(len(answers))

    answers = store.answers(run.run_id)
    cost: dict[str, Any] = {
        "adaptation": asdict(adapted.cost),
        "adaptation_seconds": adapted_at - started,
        "evaluation_seconds": time.perf_counter() - adapted_at,
        "evaluation_tokens": sum(answer.tokens for answer in answers),
        "peak_memory_bytes": peak_memory_bytes(),
        "backend": dict(adapted.backend.facts()),
    }
    return store.finish_run(run.run_id, score_answers(trial.task, answers), cost, expected)


def _set_threads(model: Model) -> None:
    """One thread for a small model, all cores for others; part of what makes a run repeatable bit for bit."""
    if model.architecture == "baseline":
        return
    import os

    import torch

    small = model.parameters is not None and model.parameters < SMALL_MODEL
    torch.set_num_threads(1 if small else os.cpu_count() or 1)
