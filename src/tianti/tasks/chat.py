"""A prompt as a conversation: who says what, as lm-evaluation-harness 0.4.13 deals it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Render(Protocol):
    """The model's chat template: messages (`role`, `content`) → one text.

    With `add_generation_prompt` the assistant's turn is opened at the end; without it the last message is the
    assistant's, who goes on with it.
    """

    def __call__(self, messages: Sequence[dict[str, str]], add_generation_prompt: bool = True) -> str: ...


@dataclass(frozen=True)
class Delimiters:
    """What stands between the parts of a prompt that is one text."""

    target: str
    """Between question and answer."""
    shot: str
    """Behind a solved example."""


@dataclass(frozen=True)
class Chat:
    """Question and shots are said in a conversation.

    `system` stands before the task's description in the system's message. `multiturn`: each shot is a turn of user
    and assistant; otherwise the user says all of them, and the question, in one message.
    """

    render: Render = field(compare=False)
    system: str | None = None
    multiturn: bool = True

    def prompt(
        self, description: str, solved: Sequence[tuple[str, str]], question: str, between: Delimiters
    ) -> str:
        """The text up to where the assistant answers `question`; `solved` are questions with their answers."""
        messages = []
        if system := _joined(self.system or "", description, between.shot):
            messages.append(_message("system", system))
        if self.multiturn:
            for asked, answer in solved:
                messages += [_message("user", asked), _message("assistant", answer)]
        else:
            shots = (asked + between.target + answer + between.shot for asked, answer in solved)
            question = "".join(shots) + question
        return self.render([*messages, _message("user", question)])


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _joined(before: str, after: str, delimiter: str) -> str:
    """The two texts, with the delimiter between them unless one is empty or white space is there already."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return before + after
    return before + delimiter + after
