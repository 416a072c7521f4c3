"""Zero-shot: the model answers as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tianti.adapt.prompting import Prompting
from tianti.tasks.task import Shots


@dataclass(frozen=True)
class ZeroShot(Prompting):
    """The task's prompt, and nothing before it."""

    name: ClassVar[str] = "zero-shot"
    summary: ClassVar[str] = "the model as it is, asked with the task's prompt alone"
    seeded: ClassVar[bool] = False

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0, chat=self._chat(tokenizer), wording=self.wording)
