"""Fit: a classical baseline learns from the training split."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.fitting import form_of, need_training_split
from tianti.adapt.options import Checked
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class Fit(Checked):
    """The baseline is fitted on the whole training split.

    Nothing is saved: fitting again takes seconds and gives the same.
    """

    name: ClassVar[str] = "fit"
    summary: ClassVar[str] = "a baseline is fitted on the training split"
    seeded: ClassVar[bool] = False
    trains: ClassVar[bool] = True

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        if model.model.architecture != "baseline":
            raise IncompatibleError(
                f"fit does not fit {model.model.name}: it is for baselines",
                remedy="use head-only, lora or full to train a network",
            )
        examples = need_training_split(self.name, task)
        if form_of(examples, task.info.kind) == "text" and any(not each.context for each in examples):
            raise IncompatibleError(
                f"fit does not fit {task.info.name}: it measures whole texts, and a baseline chooses among answers",
                remedy="use a language model, or a task with questions",
            )

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        from tianti.adapt.baselines import fit_baseline

        started = time.perf_counter()
        examples = need_training_split(self.name, task)
        form = form_of(examples, task.info.kind)
        backend = fit_baseline(model.model.name, form, examples, task.info.language)
        seconds = time.perf_counter() - started
        trained = backend.parameters
        return Adapted(backend, Cost(trained, trained, examples=len(examples), seconds=seconds))
