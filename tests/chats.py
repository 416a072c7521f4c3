"""Chat templates for tests, and tiny tokenizers that have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiny import tiny_tokenizer

TURNS = (
    "{{ bos_token }}{% for message in messages %}{{ '|' + message.role + '|\\n' + message.content + '|end|\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '|assistant|\\n' }}{% endif %}"
)
"""Whoever speaks has a turn between marks, the system too. BOS stands first."""

INSTRUCTIONS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' %}{{ raise_exception('nobody is the system here') }}{% endif %}"
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('user and assistant take turns') }}{% endif %}"
    "{% if message.role == 'user' %}{{ '[I] ' + message.content | trim + ' [/I]' }}"
    "{% else %}{{ ' ' + message.content | trim + ' ' + eos_token }}{% endif %}{% endfor %}"
)
"""Instructions between brackets with answers behind them; there is no system. BOS stands first."""

TEMPLATES = {"turns": TURNS, "instructions": INSTRUCTIONS}


def chat_tokenizer(template: Any, *, add_bos: bool = False) -> Any:
    """The tiny tokenizer with a chat template, one of `TEMPLATES` or any other text."""
    tokenizer = tiny_tokenizer(add_bos=add_bos)
    tokenizer.chat_template = TEMPLATES.get(template, template) if isinstance(template, str) else template
    return tokenizer


class Messages:
    """In place of a chat template: keeps the messages."""

    def __init__(self) -> None:
        self.seen: list[Sequence[dict[str, str]]] = []

    def __call__(self, messages: Sequence[dict[str, str]], add_generation_prompt: bool = True) -> str:
        self.seen.append(messages)
        return " / ".join(f"{message['role']}: {message['content']}" for message in messages)
