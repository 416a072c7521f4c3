"""Few-shot: solved examples stand in the prompt, before the question."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.fitting import need_prompted, prompted_backend
from tianti.adapt.options import Checked, PositiveInt
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class FewShot(Checked):
    """`k` solved examples of the training split before each question.

    `selection`: `random` draws them anew for each question from the seed, `first` takes the first k for all.
    """

    name: ClassVar[str] = "few-shot"
    summary: ClassVar[str] = "k solved examples stand before each question in the prompt"
    seeded: ClassVar[bool] = True
    trains: ClassVar[bool] = False
    always_shown: ClassVar[tuple[str, ...]] = ("k",)

    k: PositiveInt = 4
    selection: Literal["random", "first"] = "random"

    def shots(self, seed: int) -> Shots:
        return Shots(self.k, self.selection, seed)

    def check(self, model: LoadedModel, task: Task) -> None:
        need_prompted(self.name, model)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        return Adapted(prompted_backend(model), Cost(total_parameters=model.model.parameters or 0))
