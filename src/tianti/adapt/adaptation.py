"""What an adaptation is: a small frozen dataclass that makes a model ready for a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from tianti.adapt.trace import joined
from tianti.core.progress import Progress
from tianti.engine import Backend
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class Cost:
    """What making the model ready took. Zero where nothing was trained."""

    trainable_parameters: int = 0
    total_parameters: int = 0
    examples: int = 0
    steps: int = 0
    tokens: int = 0
    """Tokens read to learn from: padding and validation do not count."""
    seconds: float = 0.0
    """Of all attempts, where one was stopped and another went on from its checkpoint."""
    saved_bytes: int = 0
    train_loss: tuple[float, ...] = ()
    """Mean loss of each epoch."""
    validation: tuple[float, ...] = ()
    """The validation loss of each epoch."""
    validation_metric: tuple[float, ...] = ()
    """The share of right answers of each epoch, where that chooses the epoch."""
    best_epoch: int | None = None
    """The epoch whose weights were kept, from 1; None where there was nothing to validate on."""
    loss_steps: tuple[int, ...] = ()
    loss_by_step: tuple[float, ...] = ()
    """The training loss as a curve of at most 200 points: after each of `loss_steps`, the mean since the one before."""
    epoch_steps: tuple[int, ...] = ()
    """The step at which each epoch ended, where steps are counted."""
    added_memory_bytes: int | None = None
    """The most memory that training added to what was in use before: the network that learns, gradients, the state of
    the optimizer, activations, examples. The model as it was loaded is not in it. On a CPU of the process, on a GPU of
    what torch took there; None where it cannot be measured (a CPU without Linux)."""
    tried: tuple[Mapping[str, Any], ...] = ()
    """The tries of a search: settings, validation figure, steps, tokens and seconds of each, and which was chosen."""

    def then(self, later: Cost) -> Cost:
        """What this step and a later one took together.

        Their work adds up. The trainable parameters are the most that were trained at once, the sizes those of the
        newest network, the losses one curve behind the other, and the best epoch is the newest step's.
        """
        added = (self.added_memory_bytes, later.added_memory_bytes)
        loss_steps, loss_by_step = joined(
            (self.loss_steps, self.loss_by_step), (later.loss_steps, later.loss_by_step), self.steps
        )
        return replace(
            later,
            trainable_parameters=max(self.trainable_parameters, later.trainable_parameters),
            total_parameters=max(self.total_parameters, later.total_parameters),
            examples=self.examples + later.examples,
            steps=self.steps + later.steps,
            tokens=self.tokens + later.tokens,
            seconds=self.seconds + later.seconds,
            saved_bytes=self.saved_bytes + later.saved_bytes,
            train_loss=self.train_loss + later.train_loss,
            validation=self.validation + later.validation,
            validation_metric=self.validation_metric + later.validation_metric,
            loss_steps=loss_steps,
            loss_by_step=loss_by_step,
            epoch_steps=self.epoch_steps + tuple(self.steps + step for step in later.epoch_steps),
            added_memory_bytes=max((most for most in added if most is not None), default=None),
            tried=(*self.tried, *later.tried),
        )


@dataclass(frozen=True)
class Adapted:
    """A model that is ready for one task: what answers, and what it cost."""

    backend: Backend
    cost: Cost = field(default_factory=Cost)
    network: Any = None
    """The network that was trained, for a step that starts from it; None where nothing was trained."""
    trained: tuple[str, ...] = ()
    """The names of the parameters of `network` that were trained."""
    chosen: Any = None
    """The adaptation with the settings that a search chose; None where nothing was searched."""


class Adaptation(Protocol):
    """One way of making a model ready. Implementations are frozen dataclasses whose fields are its settings."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str:
        """One line for `tianti adaptations list`."""
        ...

    @property
    def seeded(self) -> bool:
        """Whether the seed changes anything; if not, one seed is enough."""
        ...

    @property
    def trains(self) -> bool: ...

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        """The solved examples that stand in the prompt, and how it is said; a chat needs the model's tokenizer."""
        ...

    def check(self, model: LoadedModel, task: Task) -> None:
        """Raise IncompatibleError, with the reason, when this adaptation cannot fit model and task."""
        ...

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        """Make `model` ready for `task`. `model` itself is left as it was.

        What was learned is saved in `folder` (safetensors and JSON, the JSON written last), and a folder that is
        complete is loaded instead of trained again: the result is the same either way.
        """
        ...
