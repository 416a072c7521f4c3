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
from tianti.tasks.wording import Wording
from tianti.tasks.yaml_task import YamlTask

Text = Annotated[str, StringConstraints(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Prompting(Checked):
    """The settings of the prompt.

    `chat`: the prompt is said in the model's chat template. `system`: a text that the system says first.
    `template`: the name of one of the task's, or `all`. `instruction`: a text before everything, or true
    for the task's.
    `calibrate`: the prior of the labels is taken out (Zhao et al. 2021).
    """

    trains: ClassVar[bool] = False
    of_chat: ClassVar[tuple[str, ...]] = ("chat", "system")
    """The settings that mean something in a chat only."""
    of_wording: ClassVar[tuple[str, ...]] = ("template", "instruction", "calibrate")

    chat: bool = False
    system: Text | None = None
    template: Text | None = None
    instruction: bool | Text = False
    calibrate: bool = False

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
        """Settings that came later are no part of a manifest where they change nothing: trials keep their ids."""
        unused = tuple(name for name in self.of_wording if getattr(self, name) == getattr(type(self), name))
        return (*(() if self.chat else self.of_chat), *unused)

    @property
    def wording(self) -> Wording:
        """How the task is asked besides by its own prompt."""
        return Wording(self.template, self.instruction, self.calibrate)

    def check(self, model: LoadedModel, task: Task) -> None:
        need_prompted(self.name, model)
        if self.chat:
            check_chat(model.tokenizer, model.model.name, self.system)
        if isinstance(task, YamlTask):
            task.check_wording(self.wording)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        return Adapted(prompted_backend(model), Cost(total_parameters=model.model.parameters or 0))

    def _chat(self, tokenizer: Any, *, multiturn: bool = True) -> Chat | None:
        return Chat(ChatTemplate(tokenizer), self.system, multiturn) if self.chat else None
