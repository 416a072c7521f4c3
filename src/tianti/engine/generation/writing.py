"""A text in progress: when it ends and what is told of it, the same for every way of generating."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from tianti.core.seeds import derive_seed
from tianti.engine.requests import Failure, GenerateRequest, GenerateResponse
from tianti.engine.tokens import Tokens


@dataclass(frozen=True)
class Prompt:
    """A request with the tokens of its context."""

    request: GenerateRequest
    tokens: Tokens

    @property
    def room(self) -> int:
        """How many tokens the model may write, thought and answer."""
        thinking = self.request.thinking
        return self.request.max_tokens + (0 if thinking is None else thinking.max_tokens)


class Ends:
    """Finds what ends a text: an end token, or a stop string in what is written."""

    def __init__(self, tokenizer: Any, end_tokens: Iterable[int]) -> None:
        self.tokenizer = tokenizer
        self.end_tokens = frozenset(end_tokens)
        eos = tokenizer.eos_token_id
        self.end_text: str = "" if eos is None else tokenizer.decode(eos)

    def look_back(self, stops: Iterable[str]) -> int:
        """How many of the last tokens can hold any of the strings: a token is at least a byte of it.

        Two more, so that the string never stands where decoding begins: some tokenizers drop a space there.
        """
        return 2 + max((len(stop.encode()) for stop in stops), default=0)

    def found(self, tail: list[int], stops: tuple[str, ...]) -> bool:
        """Whether one of the strings is in the text of these tokens, special ones included."""
        text = self.tokenizer.decode(tail)
        return any(stop in text for stop in stops)


class Writing:
    """A prompt and what is written behind it, token by token.

    With `thinking` the text has two parts, of which each has its own limit. The thought ends with its end string, or
    that is put there when the limit comes first; the answer follows.
    """

    def __init__(self, prompt: Prompt, ends: Ends) -> None:
        self.prompt = prompt
        self.ends = ends
        self.written: list[int] = []
        self.done = False
        self.broken = False
        """The model's logits were not finite."""
        self._ended = False
        self._thought: int | None = 0 if prompt.request.thinking is None else None
        self._thought_truncated = False
        self._stops = tuple(stop for stop in prompt.request.stop if stop)
        thinking = prompt.request.thinking
        self._waiting = self._stops if thinking is None else (thinking.end,)
        self._look_back = ends.look_back(self._waiting)
        self._generator: torch.Generator | None = None

    @property
    def request(self) -> GenerateRequest:
        return self.prompt.request

    @property
    def is_thinking(self) -> bool:
        return self._thought is None

    @property
    def part_start(self) -> int:
        """How many tokens were written before the part that is being written, thought or answer."""
        return self._thought or 0

    @property
    def room(self) -> int:
        """How many more tokens its part may have."""
        thinking = self.request.thinking
        limit = thinking.max_tokens if thinking is not None and self.is_thinking else self.request.max_tokens
        return limit - (len(self.written) - self.part_start)

    @property
    def generator(self) -> torch.Generator:
        """What the tokens of this part are drawn with."""
        if self._generator is None:
            seed = self.request.seed
            if self.request.thinking is not None and not self.is_thinking:
                seed = derive_seed(seed, "answer")
            self._generator = torch.Generator().manual_seed(seed)
        return self._generator

    def add(self, token: int) -> None:
        """Write one more token, and see whether that ends the thought or the text."""
        self.written.append(token)
        if token in self.ends.end_tokens:
            self._ended = self.done = True
        elif self._finds_end():
            if self.is_thinking:
                self._begin_answer()
            else:
                self._ended = self.done = True
        elif self.room == 0:
            if self.is_thinking:
                self._thought_truncated = True
                assert self.request.thinking is not None
                self.written += self.ends.tokenizer.encode(
                    self.request.thinking.end, add_special_tokens=False
                )
                self._begin_answer()
            else:
                self.done = True

    def fail(self) -> None:
        """The model gave no token."""
        self.broken = self.done = True

    def response(self) -> GenerateResponse | Failure:
        """The text of the new tokens, cut as lm-evaluation-harness cuts it: by one stop string after the other."""
        read = len(self.prompt.tokens)
        if self.broken:
            return Failure("error", "non_finite: the model's logits are NaN or infinite", tokens=read)
        thought, whole = self._texts()
        text = whole
        for stop in (*self._stops, self.ends.end_text):
            if stop:
                text = text.partition(stop)[0]
        truncated = not self._ended and text == whole
        tokens = read + len(self.written)
        return GenerateResponse(text, truncated, tokens, thought, self._thought_truncated)

    def _begin_answer(self) -> None:
        self._thought = len(self.written)
        self._waiting = self._stops
        self._look_back = self.ends.look_back(self._waiting)
        self._generator = None

    def _finds_end(self) -> bool:
        if not self._waiting:
            return False
        part = self.written[max(self.part_start, len(self.written) - self._look_back) :]
        if not self.ends.found(part, self._waiting):
            return False
        if self.request.thinking is None or self.is_thinking:
            return True
        # Blank lines between thought and answer are no stop string of the answer.
        return any(stop in self._texts()[1] for stop in self._waiting)

    def _texts(self) -> tuple[str, str]:
        """The thought without its end, and all that was written behind it."""
        decode, thinking = self.ends.tokenizer.decode, self.request.thinking
        if thinking is None:
            return "", decode(self.written, skip_special_tokens=True)
        if self._thought is None:
            return decode(self.written, skip_special_tokens=True), ""
        thought, _, begun = decode(self.written[: self._thought]).partition(thinking.end)
        return thought, (begun + decode(self.written[self._thought :], skip_special_tokens=True)).lstrip()
