"""What an adaptation is: a small frozen dataclass that makes a model ready for a task."""

from __future__ import annotations

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
    seconds: float = 0.0
    saved_bytes: int = 0
    train_loss: tuple[float, ...] = ()
    """Mean loss of each epoch."""
    validation: tuple[float, ...] = ()
    """The validation figure of each epoch (loss unless the adaptation says otherwise)."""


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
