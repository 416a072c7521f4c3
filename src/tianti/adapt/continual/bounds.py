"""What the other strategies stand between: plain training below, and above it joint training and a model per task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tianti.adapt.continual.strategy import Strategy


@dataclass(frozen=True)
class Plain(Strategy):
    """Each task is learned from where the one before ended, and nothing is done against forgetting."""

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = "one task after another, nothing against forgetting: the lower bound"


@dataclass(frozen=True)
class Joint(Strategy):
    """All tasks are learned at once, their examples mixed: there is one stage, and nothing to forget."""

    name: ClassVar[str] = "joint"
    summary: ClassVar[str] = "all tasks at once, their examples mixed: an upper bound"
    learns: ClassVar[Literal["in turn", "one alone", "all at once"]] = "all at once"


@dataclass(frozen=True)
class Separate(Strategy):
    """Each task is learned by a copy of its own: nothing is forgotten, nothing is passed on, and the task is known."""

    name: ClassVar[str] = "separate"
    summary: ClassVar[str] = "a model for each task, from the start: an upper bound without transfer"
    learns: ClassVar[Literal["in turn", "one alone", "all at once"]] = "one alone"
