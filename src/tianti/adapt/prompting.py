"""What the adaptations have in common that leave a model as it is and ask it with a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.fitting import need_prompted, prompted_backend
from tianti.adapt.options import Checked
from tianti.core.exceptions import InputError
from tianti.core.progress import Progress
from tianti.models.chat import ChatTemplate, check_chat
from tianti.models.model import LoadedModel
from tianti.tasks.chat import Chat
from tianti.tasks.task import Task

Text = Annotated[str, StringConstraints(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Prompting(Checked):
    """The settings of the prompt.

    `chat`: the prompt is said in the model's chat template. `system`: a text that the system says first.
    """

    trains: ClassVar[bool] = False
    of_chat: ClassVar[tuple[str, ...]] = ("chat", "system")
    """The settings that mean something in a chat only."""

    chat: bool = False
    system: Text | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in self.of_chat if getattr(self, name) != getattr(type(self), name)]
        if given and not self.chat:
            raise InputError(
                f"{self.name}: {given[0]} is a setting of chats, and chat is false",
                remedy=f"add chat=true, or leave {given[0]} out",
            )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Without a chat its settings are no part of a manifest: trials keep the ids that they had before chats."""
        return () if self.chat else self.of_chat

    def check(self, model: LoadedModel, task: Task) -> None:
        need_prompted(self.name, model)
        if self.chat:
            check_chat(model.tokenizer, model.model.name, self.system)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        return Adapted(prompted_backend(model), Cost(total_parameters=model.model.parameters or 0))

    def _chat(self, tokenizer: Any, *, multiturn: bool = True) -> Chat | None:
        return Chat(ChatTemplate(tokenizer), self.system, multiturn) if self.chat else None
