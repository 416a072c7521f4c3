"""Zero-shot: the model answers as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.fitting import need_prompted, prompted_backend
from tianti.adapt.options import Checked
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class ZeroShot(Checked):
    """The task's prompt, and nothing before it."""

    name: ClassVar[str] = "zero-shot"
    summary: ClassVar[str] = "the model as it is, asked with the task's prompt alone"
    seeded: ClassVar[bool] = False
    trains: ClassVar[bool] = False

    def shots(self, seed: int) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        need_prompted(self.name, model)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        return Adapted(prompted_backend(model), Cost(total_parameters=model.model.parameters or 0))
