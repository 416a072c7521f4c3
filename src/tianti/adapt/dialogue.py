"""Examples as a conversation: the user says the prompt, the assistant the answer, in the model's chat template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from tianti.adapt.task_view import TaskView
from tianti.core.fingerprint import fingerprint
from tianti.models.chat import ChatTemplate
from tianti.tasks.chat import Chat, Delimiters
from tianti.tasks.task import Example, Task


class InChat(TaskView):
    """`task`, whose examples are learned in the words in which a chat asks for them.

    The delimiter before the answer falls away, as it does where answers are scored in a chat: the template says where
    an answer begins. Whole texts, which hold no question, stay as they are.
    """

    def __init__(self, task: Task, chat: Chat) -> None:
        super().__init__(task)
        self._chat = chat

    @property
    def fingerprint(self) -> str:
        # The template is part of the model's fingerprint.
        return fingerprint({"task": self._task.fingerprint, "chat": {"system": self._chat.system}})

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        return [self._said(example) if example.context else example for example in self._task.examples(split)]

    def _said(self, example: Example) -> Example:
        context = self._chat.prompt("", [], example.context, Delimiters("", ""))
        return replace(example, context=context, continuation=example.continuation.lstrip())


def in_chat(task: Task, tokenizer: Any, system: str | None = None) -> Task:
    """The task with its examples said in the tokenizer's chat template.

    Raises:
        IncompatibleError: it has none.
    """
    return InChat(task, Chat(ChatTemplate(tokenizer), system))
