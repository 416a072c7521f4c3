"""Chain of thought: the model writes how it comes to its answer, and the answer is extracted; one chain, or a vote."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tianti.adapt.options import PositiveFloat, PositiveInt
from tianti.adapt.prompting import Prompting
from tianti.core.exceptions import InputError
from tianti.tasks.selection import Selection
from tianti.tasks.task import Shots
from tianti.tasks.wording import Thought, Wording


@dataclass(frozen=True)
class ChainOfThought(Prompting):
    """`k` examples with their rationale, the question, and the trigger.

    `trigger` auto is that of the task's language; none leaves it out. `max_tokens` limits the chain.
    """

    name: ClassVar[str] = "chain-of-thought"
    summary: ClassVar[str] = "the model writes its reasoning, of which the answer is extracted"
    of_chat: ClassVar[tuple[str, ...]] = (*Prompting.of_chat, "multiturn")

    k: Annotated[int, Field(ge=0)] = 0
    selection: Selection = "random"
    _: KW_ONLY
    trigger: str | Literal["auto", "none"] = "auto"
    max_tokens: PositiveInt = 256
    multiturn: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.calibrate:
            raise InputError(
                f"{self.name}: calibrate compares scores of labels, and here the answer is written",
                remedy="leave calibrate out",
            )

    @property
    def seeded(self) -> bool:
        return self.k > 0 and self.selection not in ("similar", "embedding")

    @property
    def thought(self) -> Thought:
        """How the chains are written."""
        return Thought(self._trigger, self.max_tokens)

    @property
    def wording(self) -> Wording:
        return Wording(self.template, self.instruction, thought=self.thought)

    @property
    def _trigger(self) -> str | None:
        return {"auto": None, "none": ""}.get(self.trigger, self.trigger)

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        chat = self._chat(tokenizer, multiturn=self.multiturn)
        return Shots(self.k, self.selection, seed, chat, wording=self.wording)


@dataclass(frozen=True)
class SelfConsistency(ChainOfThought):
    """`n` chains are drawn at `temperature`; the answer that most of them give counts."""

    name: ClassVar[str] = "self-consistency"
    summary: ClassVar[str] = "n chains of thought are drawn, and what most of them answer counts"
    seeded: ClassVar[bool] = True  # chains are drawn whatever the examples are

    _: KW_ONLY
    n: Annotated[int, Field(ge=2)] = 8
    temperature: PositiveFloat = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0

    @property
    def thought(self) -> Thought:
        return Thought(self._trigger, self.max_tokens, self.n, self.temperature, self.top_p)
