"""A search of settings: each try learns, the validation split judges, and the best one is what is measured.

Tries are suggested by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), seeded, so that the same search
makes the same tries in the same order, and one that was killed finds those that it made.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tianti.adapt.adaptation import Adaptation, Adapted, Cost
from tianti.adapt.learning_only import LearningOnly
from tianti.adapt.options import changed, settings
from tianti.adapt.search_record import folder_of, read_tries, write_tries
from tianti.adapt.space import TRIES, USUAL_TRIES, Space, parse_space, written
from tianti.adapt.transfer import Transfer
from tianti.adapt.update import Update
from tianti.core.exceptions import (
    EngineError,
    IncompatibleError,
    InputError,
    NonFiniteError,
    StudyError,
    UnknownNameError,
)
from tianti.core.fingerprint import fingerprint
from tianti.core.progress import Progress
from tianti.core.seeds import derive_seed
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task

REPEATS = 50
"""After so many suggestions of settings that were tried already there is nothing new to try."""
CHANGES_THE_LOSS = ("class_weights", "label_smoothing")
"""Settings with which the loss is another quantity: losses under different ones are not to be compared."""


@dataclass(frozen=True)
class Searched:
    """`base` with settings that are chosen from `space` on the validation split, by `trials` tries.

    It is written as the adaptation with what is chosen from in place of values:
    `lora(lr=1e-4..1e-2, epochs=1|3|5, trials=8)`.
    """

    base: Any
    space: tuple[tuple[str, Space], ...]
    trials: int = USUAL_TRIES

    def __post_init__(self) -> None:
        if isinstance(self.trials, bool) or not isinstance(self.trials, int) or self.trials < 1:
            raise InputError(f"search: {TRIES} expects a whole number from 1, got {self.trials!r}")
        valid = [field.name for field in fields(self.base) if field.name != "max_examples"]
        for name, space in self.space:
            if name not in valid:
                remedy = "learning curves are --train-size" if name == "max_examples" else ""
                raise UnknownNameError(
                    "setting", name, valid, where=f"search of {self.base.name}", remedy=remedy
                )
            for value in space.examples:
                replace(self.base, **{name: value})  # raises InputError where the setting cannot have it
            if name in CHANGES_THE_LOSS and getattr(self.base, "monitor", "loss") == "loss":
                raise InputError(
                    f"search of {self.base.name}: {name} changes the loss, by which tries are compared",
                    remedy=f"add monitor=metric: {self.base.name}(monitor=metric)",
                )

    @property
    def name(self) -> str:
        return str(self.base.name)

    @property
    def summary(self) -> str:
        return f"{self.base.summary}; the best of {self.trials} settings on the validation split"

    @property
    def seeded(self) -> bool:
        return True

    @property
    def trains(self) -> bool:
        return True

    @property
    def max_examples(self) -> int | None:
        """How many examples each try learns from."""
        return getattr(self.base, "max_examples", None)

    @property
    def notation(self) -> dict[str, Any]:
        """What is searched, as it stands among the settings."""
        return {**written(dict(self.space)), TRIES: self.trials}

    @property
    def all_settings(self) -> dict[str, Any]:
        """All settings; those that are searched are what they are chosen from."""
        return settings(self.base) | self.notation

    @property
    def shown_settings(self) -> dict[str, Any]:
        """Those that differ from the defaults."""
        return changed(self.base) | self.notation

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        shots: Shots = self.base.shots(seed, tokenizer)
        return shots

    def check(self, model: LoadedModel, task: Task) -> None:
        self.base.check(model, task)
        if len(task.examples("train")) < 10 and not task.examples("validation"):
            raise IncompatibleError(
                f"{task.info.name}: too few examples to hold any out, and a search needs some to judge by",
                remedy="give the task a validation split, or settings instead of ranges",
            )

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        identity = self._identity(model, task, seed)
        tries = read_tries(folder, identity)
        if tries is None:
            tries = self._search(model, LearningOnly(task), seed, folder, progress)
            write_tries(folder, identity, tries)
        best = self._best(tries)
        chosen = replace(self.base, **best["settings"])
        adapted: Adapted = chosen.adapt(model, task, seed, folder_of(folder, best), progress)
        for each in tries:
            if each is not best:
                shutil.rmtree(folder_of(folder, each), ignore_errors=True)
        cost = replace(
            adapted.cost,
            steps=sum(each["steps"] for each in tries),
            tokens=sum(each["tokens"] for each in tries),
            seconds=sum(each["seconds"] for each in tries),
            tried=tuple(each | {"chosen": each is best} for each in tries),
        )
        return replace(adapted, cost=cost, chosen=chosen)

    def _search(
        self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress
    ) -> list[dict[str, Any]]:
        """Make the tries; those that lie in the folder are loaded and not made again."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(
            seed=derive_seed("search", seed, task.info.name) % 2**32,
            n_startup_trials=min(10, self.trials // 2 + 1),  # drawn at random before anything is inferred
        )
        study = optuna.create_study(sampler=sampler)
        tries: list[dict[str, Any]] = []
        repeats = 0
        with progress.meter(f"search · {self.name} · {task.info.name}", self.trials) as meter:
            while len(tries) < self.trials and repeats < REPEATS:
                asked = study.ask()
                values = {name: space.suggest(asked, name) for name, space in self.space}
                each = next((known for known in tries if known["settings"] == values), None)
                if each is None:
                    each = {"number": len(tries), "settings": values}
                    each |= self._try(model, task, seed, each, folder, progress)
                    tries.append(each)
                    repeats = 0
                    meter.advance(note=said(each))
                else:
                    repeats += 1
                if each["validation"] is None:
                    study.tell(asked, state=optuna.trial.TrialState.FAIL)
                else:
                    study.tell(asked, self._sign * each["validation"])
        return tries

    def _try(
        self,
        model: LoadedModel,
        task: Task,
        seed: int,
        each: Mapping[str, Any],
        folder: Path,
        progress: Progress,
    ) -> dict[str, Any]:
        """One try: its validation figure, None where it diverged, and what it took."""
        adaptation = replace(self.base, **each["settings"])
        try:
            cost: Cost = adaptation.adapt(model, task, seed, folder_of(folder, each), progress).cost
        except NonFiniteError:
            return {"validation": None, "steps": 0, "tokens": 0, "seconds": 0.0}
        judged = cost.validation if self._sign > 0 else cost.validation_metric
        figures = [figure for figure in judged if math.isfinite(figure)]
        best = min(figures, key=lambda figure: self._sign * figure, default=None)
        return {"validation": best, "steps": cost.steps, "tokens": cost.tokens, "seconds": cost.seconds}

    def _best(self, tries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The first of the tries with the best validation figure."""
        usable = [each for each in tries if each["validation"] is not None]
        if not usable:
            raise EngineError(
                f"search of {self.name}: all {len(tries)} tries diverged", remedy="search lower rates"
            )
        return min(usable, key=lambda each: self._sign * each["validation"])

    @property
    def _sign(self) -> float:
        """Losses are to be small, shares of right answers large."""
        return 1.0 if getattr(self.base, "monitor", "loss") == "loss" else -1.0

    def _identity(self, model: LoadedModel, task: Task, seed: int) -> str:
        return fingerprint(
            {
                "name": self.name,
                "settings": self.all_settings,
                "model": model.model.fingerprint,
                "task": task.fingerprint,
                "seed": seed,
            }
        )


def searched_from(base: Any, arguments: Mapping[str, Any]) -> Searched:
    """`base` with what the arguments give to choose from."""
    space = {name: parse_space(name, value) for name, value in arguments.items() if name != TRIES}
    return Searched(base, tuple(sorted(space.items())), arguments.get(TRIES, USUAL_TRIES))


def with_search(adaptations: Sequence[Adaptation], given: Mapping[str, Any]) -> list[Adaptation]:
    """The trained adaptations, and the trained steps of chains, searched for those of the settings that they have.

    Raises:
        UnknownNameError: a setting that none of them has.
        StudyError: nothing is trained, or nothing is searched.
    """
    if not given:
        return list(adaptations)
    steps: list[Any] = [step for each in adaptations for step in _steps(each) if _can_search(step)]
    if not steps:
        raise StudyError(
            "search has no effect: no adaptation of the study is trained with settings",
            remedy="add one, such as lora, or leave search out",
        )
    known = {field.name for step in steps for field in fields(step)}
    for name in given:
        if name not in known | {TRIES}:
            raise UnknownNameError("setting", name, known | {TRIES}, where="search")
    return [_with_search(each, given) for each in adaptations]


def _steps(adaptation: Any) -> Sequence[Any]:
    """The steps of a chain, and of what is learned from another task; otherwise the adaptation itself."""
    base = adaptation.base if isinstance(adaptation, Transfer) else adaptation
    return getattr(base, "steps", (base,))


def _with_search(adaptation: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(adaptation, Transfer):
        return replace(adaptation, base=_with_search(adaptation.base, given))
    if hasattr(adaptation, "steps"):
        return replace(adaptation, steps=tuple(_with_search(step, given) for step in adaptation.steps))
    if not _can_search(adaptation):
        return adaptation
    names = {field.name for field in fields(adaptation)}
    own = {name: value for name, value in given.items() if name in names}
    tries = {TRIES: given[TRIES]} if TRIES in given else {}
    return searched_from(adaptation, own | tries) if own else adaptation


def _can_search(step: Any) -> bool:
    return step.trains and not isinstance(step, Searched | Update) and bool(fields(step))


def said(tried: Mapping[str, Any]) -> str:
    """A try in one line: its settings and its validation figure."""
    values = (
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in tried["settings"].items()
    )
    figure = "diverged" if tried["validation"] is None else f"validation {tried['validation']:.4f}"
    return f"{', '.join(values)}: {figure}{' (chosen)' if tried.get('chosen') else ''}"
