"""Few-shot: solved examples stand in the prompt, before the question."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

from tianti.adapt.options import PositiveInt
from tianti.adapt.prompting import Prompting
from tianti.tasks.task import Shots


@dataclass(frozen=True)
class FewShot(Prompting):
    """`k` solved examples of the training split before each question.

    `selection`: `random` draws them anew for each question from the seed, `first` takes the first k for all.
    `multiturn`: in a chat each of them is a turn of user and assistant, otherwise the user says all in one message.
    """

    name: ClassVar[str] = "few-shot"
    summary: ClassVar[str] = "k solved examples stand before each question in the prompt"
    seeded: ClassVar[bool] = True
    always_shown: ClassVar[tuple[str, ...]] = ("k",)
    of_chat: ClassVar[tuple[str, ...]] = (*Prompting.of_chat, "multiturn")

    k: PositiveInt = 4
    selection: Literal["random", "first"] = "random"
    _: KW_ONLY
    multiturn: bool = True

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(self.k, self.selection, seed, self._chat(tokenizer, multiturn=self.multiturn))
