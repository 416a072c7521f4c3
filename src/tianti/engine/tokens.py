"""Text to token ids, as lm-evaluation-harness 0.4.13 makes them for causal models, so that the numbers are the same.

What a model is asked comes down to a `Window`: it reads all tokens but the last, and its predictions of the last
`scored` of them are looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tianti.engine.requests import Failure, GenerateRequest, RollingRequest, ScoreRequest

Tokens = NDArray[np.int32]

UNKNOWN_MAX_LENGTH = 2048
"""What lm-evaluation-harness assumes where neither config nor tokenizer says how much a model reads."""

TEXTS_AT_ONCE = 1024
"""Texts in one call of the tokenizer; its Python lists take ten times the memory of the arrays that stay."""


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens to look at: the model reads `tokens[:-1]` and is scored on `tokens[-scored:]`."""

    tokens: Tokens
    scored: int


def find_max_length(config: Any, tokenizer: Any) -> int:
    """The number of tokens that a model reads, found where lm-evaluation-harness finds it."""
    from transformers.tokenization_utils_base import VERY_LARGE_INTEGER

    text_config = getattr(config, "text_config", None) or config
    for attribute in ("n_positions", "max_position_embeddings", "n_ctx"):
        length = getattr(text_config, attribute, None)
        if length is not None:
            return int(length)
    length = getattr(tokenizer, "model_max_length", None)
    if length is None or length == VERY_LARGE_INTEGER:
        return UNKNOWN_MAX_LENGTH
    return int(length)


def soft_prompt_length(network: Any) -> int:
    """Positions that the virtual tokens of a soft prompt take from the text: peft's, or those of a hook of ours."""
    config = getattr(network, "active_peft_config", None)
    if config is not None and config.is_prompt_learning:
        return int(config.num_virtual_tokens)
    return int(getattr(network, "soft_prompt_length", 0))


def text_length(network: Any, tokenizer: Any) -> int:
    """The number of tokens of a text that a network reads: its length less what virtual tokens take."""
    return find_max_length(network.config, tokenizer) - soft_prompt_length(getattr(network, "body", network))


class CausalTokens:
    """How one causal model with its tokenizer reads requests.

    `vocabulary` is the number of rows of the embedding: a tokenizer may know more tokens than the model.
    """

    def __init__(self, tokenizer: Any, max_length: int, vocabulary: int) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.vocabulary = vocabulary
        bos = tokenizer.bos_token_id
        self.prefix: int | None = bos if bos is not None else tokenizer.eos_token_id
        """Stands for an empty context: the BOS token, else EOS."""
        self.prefix_text: str | None = None if self.prefix is None else tokenizer.decode(self.prefix)

    def windows(self, requests: Sequence[ScoreRequest]) -> list[Window | Failure]:
        """One window per request, or why it cannot be asked."""
        contexts, wholes, bare = [], [], []
        for request in requests:
            # A word's token starts with its space: trailing spaces belong to what follows.
            context = request.context.rstrip()
            contexts.append(context)
            wholes.append(request.context + request.continuation)
            bare.append(context == "")
        context_tokens = self.encode_each(contexts, self.prefix_text)
        whole_tokens = self.encode_each(wholes, self.prefix_text)
        bare_tokens = iter(self.encode([t for t, b in zip(wholes, bare, strict=True) if b], special=False))
        return [
            self._bare_window(next(bare_tokens), request.truncate)
            if is_bare
            else self._window(before, whole[len(before) :], request.truncate)
            for request, is_bare, before, whole in zip(
                requests, bare, context_tokens, whole_tokens, strict=True
            )
        ]

    def rolling(self, requests: Sequence[RollingRequest]) -> list[list[Window] | Failure]:
        """For each text the windows in which each of its tokens is scored once.

        All windows but the last score as many tokens as the model reads, the first token of all after the prefix
        token. The last window is filled up from the left with tokens that were scored before.
        """
        texts = [request.text for request in requests]
        return [self._rolling(tokens) for tokens in self.encode_each(texts, self.prefix_text)]

    def prompts(self, requests: Sequence[GenerateRequest]) -> list[Tokens | Failure]:
        """The tokens of each request's context, or why it cannot be asked."""
        texts = [request.context for request in requests]
        encoded = self.encode_each(texts, self.tokenizer.bos_token)
        return [self._prompt(tokens, request) for tokens, request in zip(encoded, requests, strict=True)]

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, special tokens of the tokenizer included."""
        return [len(tokens) for tokens in self.encode_each(texts, self.prefix_text)]

    def _window(self, context: Tokens, continuation: Tokens, truncate: bool) -> Window | Failure:
        total, scored = len(context) + len(continuation), len(continuation)
        if scored == 0:
            return Failure(
                "skipped", "the continuation has no token of its own after the context", tokens=total
            )
        if scored > self.max_length:
            return Failure(
                "skipped", f"continuation of {scored} tokens, the model reads {self.max_length}", tokens=total
            )
        # The last token is predicted and not read: one more than the model's length fits.
        if total > self.max_length + 1 and not truncate:
            return Failure(
                "skipped",
                f"prompt and answer of {total} tokens, the model reads {self.max_length}",
                tokens=total,
            )
        return self.checked(Window(np.concatenate((context, continuation))[-(self.max_length + 1) :], scored))

    def _bare_window(self, continuation: Tokens, truncate: bool) -> Window | Failure:
        """The window of a continuation without context: the prefix token is the context."""
        if self.prefix is None:
            return Failure("skipped", "no context, and the tokenizer has no BOS or EOS token to stand for it")
        context = np.array([self.prefix], dtype=np.int32)
        if len(continuation) and continuation[0] == self.prefix:
            context, continuation = continuation[:1], continuation[1:]
        return self._window(context, continuation, truncate)

    def _rolling(self, tokens: Tokens) -> list[Window] | Failure:
        if self.prefix is None:
            return Failure("skipped", "the tokenizer has no BOS or EOS token for the first token to follow")
        length = self.max_length
        followed = np.concatenate((np.array([self.prefix], dtype=np.int32), tokens))
        windows = []
        for start in range(0, len(tokens), length):
            end = min(start + length, len(tokens))
            first = 0 if start == 0 else end - length
            window = self.checked(Window(followed[first : end + 1], end - start))
            if isinstance(window, Failure):
                return window
            windows.append(window)
        return windows

    def _prompt(self, tokens: Tokens, request: GenerateRequest) -> Tokens | Failure:
        wanted, end = request.max_tokens, np.zeros(0, dtype=np.int32)
        if (thinking := request.thinking) is not None:
            end = next(self.encode([thinking.end], special=False))
            wanted += thinking.max_tokens + len(end)
            if thinking.max_tokens < 1 or not len(end):
                return Failure("skipped", f"a thought of {thinking.max_tokens} tokens up to {thinking.end!r}")
        room = self.max_length - wanted
        if request.max_tokens < 1:
            return Failure("skipped", f"{request.max_tokens} tokens to generate")
        if room < 1:
            return Failure(
                "skipped",
                f"{wanted} tokens to generate, the model reads {self.max_length} in all",
            )
        if len(tokens) > room and not request.truncate:
            return Failure(
                "skipped",
                f"prompt of {len(tokens)} tokens and {wanted} to generate, the model reads {self.max_length}",
                tokens=len(tokens),
            )
        if len(tokens) == 0:
            if self.prefix is None:
                return Failure(
                    "skipped", "no context, and the tokenizer has no BOS or EOS token to stand for it"
                )
            tokens = np.array([self.prefix], dtype=np.int32)
        tokens = tokens[-room:]
        window = self.checked(Window(np.concatenate((tokens, end)), 0))
        return window if isinstance(window, Failure) else tokens

    def checked(self, window: Window) -> Window | Failure:
        """A token without an embedding would stop the whole run (and on a GPU the process)."""
        largest = int(window.tokens.max())
        if largest < self.vocabulary:
            return window
        return Failure(
            "error",
            f"token {largest} of the tokenizer is outside the model's vocabulary of {self.vocabulary}",
            tokens=len(window.tokens),
        )

    def encode_each(self, texts: Sequence[str], prefix_text: str | None) -> list[Tokens]:
        """Token ids of each text with the tokenizer's usual special tokens, or without where `prefix_text` is there."""
        distinct = list(dict.fromkeys(texts))
        starts = [prefix_text is not None and text.startswith(prefix_text) for text in distinct]
        with_special = self.encode([t for t, s in zip(distinct, starts, strict=True) if not s], special=True)
        without = self.encode([t for t, s in zip(distinct, starts, strict=True) if s], special=False)
        found = {
            text: next(without) if start else next(with_special)
            for text, start in zip(distinct, starts, strict=True)
        }
        return [found[text] for text in texts]

    def encode(self, texts: Sequence[str], *, special: bool) -> Iterator[Tokens]:
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            encoded = self.tokenizer(
                list(texts[start : start + TEXTS_AT_ONCE]),
                add_special_tokens=special,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )["input_ids"]
            for tokens in encoded:
                yield np.array(tokens, dtype=np.int32)
