"""A conversation in the words of a model's chat template, as lm-evaluation-harness 0.4.13 has it written.

A template is a program of whoever made the model. transformers runs it in Jinja's sandbox, and so it stays here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from tianti.core.exceptions import IncompatibleError

Message = dict[str, str]
"""`role` (system, user or assistant) and `content`."""


def check_chat(tokenizer: Any, name: str, system: str | None = None) -> None:
    """Raise IncompatibleError unless the tokenizer has a chat template that writes a question, and `system` with it.

    `name` is the model's, for the errors.
    """
    question = {"role": "user", "content": "question"}
    try:
        ChatTemplate(tokenizer)([question])
    except IncompatibleError as error:
        raise IncompatibleError(f"{name}: {error.message}", remedy=error.remedy) from error
    if system is not None and not _takes_system(tokenizer, system, question):
        raise IncompatibleError(
            f"{name}: its chat template has no place for a system text",
            remedy="leave system out, or write the text into the task's prompt",
        )


def _takes_system(tokenizer: Any, system: str, question: Message) -> bool:
    try:
        written = _written(tokenizer, [{"role": "system", "content": system}, question])
    except Exception:  # a template says no in its own way
        return False
    return system.strip() in written


class ChatTemplate:
    """Writes conversations as the chat template of a tokenizer has them.

    Raises:
        IncompatibleError: it has none.
    """

    def __init__(self, tokenizer: Any) -> None:
        try:
            tokenizer.get_chat_template()
        except ValueError as error:
            templates = tokenizer.chat_template
            raise IncompatibleError(
                "a chat needs a chat template, and the model's tokenizer has "
                + (f"several and no default: {', '.join(sorted(templates))}" if templates else "none"),
                remedy="leave chat out, use a model that was trained on chats, or save its template with it: "
                "tokenizer.chat_template = …; tokenizer.save_pretrained(FOLDER)",
            ) from error
        self.tokenizer = tokenizer

    def __call__(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        """The conversation as one text, at whose end the assistant speaks.

        Without `add_generation_prompt` the last message is the assistant's, who goes on with it. A template that
        refuses the conversation gets it without the system's messages: lm-evaluation-harness does the same.

        Raises:
            IncompatibleError: the template refuses it still.
        """
        try:
            try:
                return _written(self.tokenizer, messages, add_generation_prompt)
            except TemplateError:
                rest = [message for message in messages if message["role"] != "system"]
                if len(rest) == len(messages):
                    raise
                text = _written(self.tokenizer, rest, add_generation_prompt)
        except Exception as error:  # whatever a stranger's program raises
            raise IncompatibleError(
                f"the model's chat template cannot write the conversation ({type(error).__name__}: {error})",
                remedy="leave chat out, or mend the template (chat_template.jinja beside the tokenizer)",
            ) from error
        warnings.warn(
            "the model's chat template has no place for a system text: the task's description is left out, as "
            "lm-evaluation-harness leaves it out",
            stacklevel=2,
        )
        return text


def _written(tokenizer: Any, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
    text: str = tokenizer.apply_chat_template(
        list(messages),
        tokenize=False,
        add_generation_prompt=add_generation_prompt,
        continue_final_message=not add_generation_prompt,
    )
    return text
