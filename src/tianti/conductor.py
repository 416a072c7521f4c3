"""The conductor: for each trial of a study adapt, evaluate, store; what is there already is not done again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tianti.adapt import Adapted, label
from tianti.adapt.embedding import with_embedder
from tianti.adapt.sizes import shortfall
from tianti.adapt.stages import address, stages
from tianti.core.environment import cores, environment, peak_memory_bytes
from tianti.core.exceptions import IncompatibleError, StoreError, TiantiError
from tianti.core.garbage import SetAside, without_collection
from tianti.core.locks import locked
from tianti.core.progress import Progress
from tianti.core.wording import counted
from tianti.evaluation.answer import Answer
from tianti.evaluation.contamination import contamination_facts
from tianti.evaluation.evaluate import evaluate
from tianti.evaluation.score import score_answers
from tianti.evaluation.templates import spread_over_templates
from tianti.models import LoadedModel, Model, load_model
from tianti.store import Run, Store
from tianti.study import Trial

SMALL_MODEL = 20_000_000
"""Below so many parameters one thread is faster than several: the work of a step is too little to share."""

OutcomeState = Literal["found", "measured", "refused", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    `found`: finished before, or by another process meanwhile. `measured`: finished now. `refused`: model, adaptation
    and task do not fit. `failed`: something went wrong; the reason is on record and the next run tries again.
    """

    trial: Trial
    run: Run
    state: OutcomeState
    reason: str = ""


class Conductor:
    """Runs trials one after another and keeps the model of the last one in memory for the next.

    `loaded_models` are in memory already; the others are loaded when their first trial needs them.
    """

    def __init__(self, store: Store, progress: Progress, loaded_models: Sequence[LoadedModel] = ()) -> None:
        self.store = store
        self.progress = progress
        self._given = {loaded.model.fingerprint: loaded for loaded in loaded_models}
        self._last: LoadedModel | None = None
        self._set_aside = SetAside()

    def conduct(self, trial: Trial) -> Outcome:
        """Run one trial unless it is finished.

        Raises:
            StoreError: the results cannot be kept. Whatever else goes wrong on purpose is an outcome.
        """
        finished = self.store.find_run(trial.id)
        if finished is not None and finished.state == "finished":
            return Outcome(trial, finished, "found")
        run = self.store.start_run(trial.id, trial.manifest, environment())
        try:
            loaded = self.load(trial)
            trial.adaptation.check(loaded, trial.task)
            return Outcome(trial, _measure(trial, loaded, run, self.store, self.progress), "measured")
        except StoreError:
            # Another process on this store may have been at the same trial, and been first: its results stand.
            finished = self.store.find_run(trial.id)
            if finished is not None and finished.state == "finished":
                return Outcome(trial, finished, "found")
            raise
        except IncompatibleError as error:
            return Outcome(trial, self.store.fail_run(run.run_id, str(error)), "refused", str(error))
        except TiantiError as error:
            return Outcome(trial, self.store.fail_run(run.run_id, str(error)), "failed", str(error))
        except Exception as error:
            # A bug or a broken library: on record, so that the board shows it, and raised, so that somebody sees it.
            self.store.fail_run(run.run_id, f"{type(error).__name__}: {error}")
            raise

    def load(self, trial: Trial) -> LoadedModel:
        """The model of a trial: one that was given, the last one, or loaded now."""
        if given := self._given.get(trial.model.fingerprint):
            return given
        if self._last is None or self._last.model != trial.model:
            self._last = None  # Two models at once may not fit into memory.
            self._set_aside.back()
            with without_collection():  # transformers imports a model's code when it is first asked for it
                self._last = load_model(trial.model, trial.options)
            self._set_aside.take()
        return self._last


def conduct(
    trials: Sequence[Trial], store: Store, progress: Progress, loaded_models: Sequence[LoadedModel] = ()
) -> Iterator[Outcome]:
    """Run the trials in this process and yield what became of each, as it becomes so.

    A trial that fails does not stop the others; a store that fails does, as nothing could be kept.
    """
    conductor = Conductor(store, progress, loaded_models)
    with progress.meter("trials", len(trials)) as meter:
        for trial in trials:
            outcome = conductor.conduct(trial)
            meter.advance(note=trial.title)
            yield outcome


def say_shortfalls(planned: Sequence[Trial], progress: Progress) -> None:
    """Say, before anything is trained, which adaptations ask for more examples than a task has."""
    lines: dict[str, None] = {}
    for trial in planned:
        for found in shortfall(trial.adaptation, trial.task).values():
            lines[
                f"{label(trial.adaptation)} on {trial.task.info.name}: max_examples={found['asked']:,}, and there are "
                f"{counted(found['there'], 'example')} to learn from: all are learned."
            ] = None
    for line in lines:
        progress.say(line)


def _measure(trial: Trial, loaded: LoadedModel, run: Run, store: Store, progress: Progress) -> Run:
    set_threads(trial.model)
    seed = trial.seed or 0
    started = time.perf_counter()
    adapted = adapt(trial, loaded, store, progress)
    adapted_at = time.perf_counter()

    expected = trial.questions
    answered = frozenset(store.answered(run.run_id))
    shots = with_embedder(trial.adaptation.shots(seed, loaded.tokenizer), loaded)
    with progress.meter(trial.title, expected) as meter:
        meter.advance(len(answered))
        for answers in evaluate(adapted.backend, trial.task, shots, trial.limit, answered):
            store.append(run.run_id, answers)
            meter.advance(len(answers))

    answers = store.answers(run.run_id)
    cost: dict[str, Any] = {
        # Seconds and what the backend read are those of this attempt, which did not ask these answers again.
        "answers_of_earlier_attempts": len(answered),
        "adaptation": asdict(adapted.cost),
        "adaptation_seconds": adapted_at - started,
        "evaluation_seconds": time.perf_counter() - adapted_at,
        "evaluation_tokens": sum(answer.tokens for answer in answers),
        "peak_memory_bytes": peak_memory_bytes(),
        "backend": dict(adapted.backend.facts()),
        **contamination_facts(trial.adaptation, trial.task, seed, answers),
        **template_facts(trial, answers),
        **shortfall(trial.adaptation, trial.task),
    }
    return store.finish_run(run.run_id, score_answers(trial.task, answers), cost, expected)


def template_facts(trial: Trial, answers: Sequence[Answer]) -> dict[str, Any]:
    """What each template gave, for a run's record; nothing where the samples were asked in one."""
    found = spread_over_templates(trial.task.metrics[0], trial.templates, answers)
    return {"templates": found} if found else {}


def adapt(trial: Trial, loaded: LoadedModel, store: Store, progress: Progress) -> Adapted:
    """Make the model ready, or load what was trained before.

    What is trained is kept under what it is, so that it serves for every trial that takes it; while one process trains
    it, others wait.
    """
    seed = trial.seed or 0
    learned = stages(trial.adaptation, trial.task, seed, loaded.tokenizer)
    folder = store.adapted_folder(address(loaded, learned))
    with locked(folder) if learned else nullcontext():
        return trial.adaptation.adapt(loaded, trial.task, seed, folder, progress)


def set_threads(model: Model) -> None:
    """One thread for a small model, all cores for others; part of what makes a run repeatable bit for bit."""
    if model.architecture == "baseline":
        return
    import torch

    small = model.parameters is not None and model.parameters < SMALL_MODEL
    torch.set_num_threads(1 if small else cores())
