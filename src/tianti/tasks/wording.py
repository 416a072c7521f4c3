"""How else a task is asked than by its own prompt: a template, an instruction, a chain of thought, calibration."""

from __future__ import annotations

from dataclasses import dataclass

ALL = "all"
"""In place of a template's name: each of them in turn, the task's own prompt among them."""
OWN = "own"
"""The name of the prompt that stands in the task file itself."""


@dataclass(frozen=True)
class Thought:
    """A chain of thought is written, of which the answer is extracted.

    `trigger` stands behind the question; None is the one of the task's language, an empty text none. `chains` of at
    most `max_tokens` tokens are drawn at `temperature` and `top_p`; what most of them answer counts.
    """

    trigger: str | None = None
    max_tokens: int = 256
    chains: int = 1
    temperature: float = 0.0
    top_p: float = 1.0


@dataclass(frozen=True)
class Wording:
    """`template`: the name of one, or `all`. `instruction`: a text, or True for that of the task file.

    `calibrate`: labels are compared after the prior of each was taken out. `thought`: see `Thought`.
    """

    template: str | None = None
    instruction: str | bool = False
    calibrate: bool = False
    thought: Thought | None = None
