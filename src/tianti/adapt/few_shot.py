"""Few-shot: solved examples stand in the prompt, before the question."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from tianti.adapt.options import PositiveInt
from tianti.adapt.prompting import Prompting
from tianti.tasks.selection import Selection
from tianti.tasks.task import Shots


@dataclass(frozen=True)
class FewShot(Prompting):
    """`k` solved examples of the training split before each question.

    `selection`: which of them, and in which order; see `tasks/selection.py`.
    `multiturn`: in a chat each of them is a turn of user and assistant, otherwise the user says all in one message.
    """

    name: ClassVar[str] = "few-shot"
    summary: ClassVar[str] = "k solved examples stand before each question in the prompt"
    always_shown: ClassVar[tuple[str, ...]] = ("k",)
    of_chat: ClassVar[tuple[str, ...]] = (*Prompting.of_chat, "multiturn")

    k: PositiveInt = 4
    selection: Selection = "random"
    _: KW_ONLY
    multiturn: bool = True

    @property
    def seeded(self) -> bool:
        """Nothing is drawn where similarity decides."""
        return self.selection not in ("similar", "embedding")

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        chat = self._chat(tokenizer, multiturn=self.multiturn)
        return Shots(self.k, self.selection, seed, chat, wording=self.wording)
