"""Full fine-tuning: every weight learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tianti.adapt.adaptation import Adapted
from tianti.adapt.fitting import need_trainable
from tianti.adapt.options import Training
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class Full(Training):
    """All parameters of a copy of the model are trained, an encoder's with a fresh head on its pooled output."""

    name: ClassVar[str] = "full"
    summary: ClassVar[str] = "full fine-tuning: every weight learns"
    seeded: ClassVar[bool] = True
    trains: ClassVar[bool] = True

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        need_trainable(self.name, model, task)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        from tianti.adapt.learning import learn
        from tianti.adapt.lesson import Lesson

        return learn(Lesson(self, model, task, seed), _trainable_copy, folder, progress)


def _trainable_copy(network: Any) -> Any:
    from tianti.adapt.networks import own_copy

    return own_copy(network).requires_grad_(True)
