"""What an adaptation is: a small frozen dataclass that makes a model ready for a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

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
    peak_memory_bytes: int | None = None
    """The most memory in use while it was trained, model included: on a CPU the process's, on a GPU what torch took.
    None where it cannot be measured."""
    tried: tuple[Mapping[str, Any], ...] = ()
    """The tries of a search: settings, validation figure, steps, tokens and seconds of each, and which was chosen."""


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
