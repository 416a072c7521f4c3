"""One adaptation of one model to one task, and all that its trained weights depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tianti.adapt.examples import split
from tianti.adapt.fitting import Form, need_trainable
from tianti.adapt.options import settings
from tianti.core.seeds import derive_seed
from tianti.models.model import LoadedModel
from tianti.tasks.task import Example, Task

Prepare = Callable[[Any], Any]
"""original network → the copy of it in which the parameters to train require a gradient."""


@dataclass(frozen=True)
class Lesson:
    """What is learned by whom: one adaptation of one model to one task."""

    adaptation: Any
    model: LoadedModel
    task: Task
    seed: int

    @property
    def form(self) -> Form:
        """The form in which the examples are learned."""
        return need_trainable(self.adaptation.name, self.model, self.task)

    @property
    def is_written(self) -> bool:
        """Whether a language model writes the answer, and so has to learn where it ends; labels and choices are scored
        as they are."""
        return self.form not in ("labels", "choices")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, or the tags, that all examples share."""
        return self.task.examples("train")[0].choices

    @property
    def outputs(self) -> int:
        """Outputs of a head: one per label or tag, two for the ends of a span, one that scores a choice."""
        return {"labels": len(self.labels), "tags": len(self.labels), "span": 2}.get(self.form, 1)

    @property
    def max_length(self) -> int | None:
        """Tokens of an example, None for what the model reads."""
        length: int | None = self.adaptation.max_length
        return length

    @property
    def draw(self) -> int:
        """The seed of fresh weights, dropout and shuffling."""
        return derive_seed("adapt", self.seed, self.task.info.name)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the trained weights: a saved folder serves for the same and nothing else."""
        return {
            "adaptation": self.adaptation.name,
            "settings": settings(self.adaptation),
            "model": self.model.model.fingerprint,
            "task": self.task.fingerprint,
            "seed": self.seed,
        }

    def examples(self, max_examples: int | None) -> tuple[list[Example], list[Example]]:
        """Training and validation examples."""
        return split(self.task, max_examples, self.seed)
