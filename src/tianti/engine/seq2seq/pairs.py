"""Text to token ids, as lm-evaluation-harness 0.4.13 makes them for encoder–decoder models.

The encoder reads the context, the decoder is scored on the continuation: the two are encoded apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tianti.engine.requests import Failure, GenerateRequest, ScoreRequest
from tianti.engine.tokens import CausalTokens, Tokens, Window


@dataclass(frozen=True, slots=True)
class Pair:
    """What the encoder reads, and what the decoder is scored on."""

    context: Tokens
    continuation: Tokens

    @property
    def rows(self) -> tuple[Tokens, Tokens]:
        """All that the network reads."""
        return self.context, self.continuation


class PairTokens:
    """How one encoder–decoder model with its tokenizer reads requests.

    `max_length` holds for the context and for the continuation. `max_written` is the most that the decoder can write,
    None where it has no table of positions.
    """

    def __init__(self, tokenizer: Any, max_length: int, vocabulary: int, max_written: int | None) -> None:
        self.reader = CausalTokens(tokenizer, max_length, vocabulary)
        self.max_length = max_length
        self.max_written = max_written

    def pairs(self, requests: Sequence[ScoreRequest]) -> list[Pair | Failure]:
        """One pair per request, or why it cannot be asked."""
        contexts = [request.context.rstrip() for request in requests]
        read = self.reader.encode_each(contexts, self.reader.prefix_text)
        # Trailing spaces of the context belong to what follows.
        spaces = [request.context[len(text) :] for request, text in zip(requests, contexts, strict=True)]
        wholes = [space + request.continuation for request, space in zip(requests, spaces, strict=True)]
        return [
            self._pair(request, *((None, whole) if request.context == "" else (context, whole)))
            for request, context, whole in zip(requests, read, self._bare(wholes), strict=True)
        ]

    def prompts(self, requests: Sequence[GenerateRequest]) -> list[Tokens | Failure]:
        """The tokens of each request's context, or why it cannot be asked."""
        encoded = self.reader.encode_each([request.context for request in requests], None)
        return [self._prompt(tokens, request) for tokens, request in zip(encoded, requests, strict=True)]

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, special tokens of the tokenizer included."""
        return self.reader.count(texts)

    def _bare(self, texts: Sequence[str]) -> Iterable[Tokens]:
        """The tokens of each text without special tokens; equal texts are encoded once."""
        distinct = list(dict.fromkeys(texts))
        found = dict(zip(distinct, self.reader.encode(distinct, special=False), strict=True))
        return (found[text] for text in texts)

    def _pair(self, request: ScoreRequest, context: Tokens | None, continuation: Tokens) -> Pair | Failure:
        if context is None and len(continuation) and continuation[0] == self.reader.prefix:
            context, continuation = continuation[:1], continuation[1:]
        read = self._fitting(context, request.truncate)
        if isinstance(read, Failure):
            return read
        total, scored = len(read) + len(continuation), len(continuation)
        if scored == 0:
            return Failure("skipped", "the continuation has no token of its own", tokens=total)
        if scored > self.max_length:
            reason = f"continuation of {scored} tokens, the model reads {self.max_length}"
            return Failure("skipped", reason, tokens=total)
        known = self.reader.checked(Window(np.concatenate((read, continuation)), scored))
        return known if isinstance(known, Failure) else Pair(read, continuation)

    def _prompt(self, tokens: Tokens, request: GenerateRequest) -> Tokens | Failure:
        if request.thinking is not None:
            return Failure("skipped", "an encoder–decoder model is not asked to think before it answers")
        if request.max_tokens < 1:
            return Failure("skipped", f"{request.max_tokens} tokens to generate")
        if self.max_written is not None and request.max_tokens > self.max_written:
            reason = f"{request.max_tokens} tokens to generate, the model writes {self.max_written}"
            return Failure("skipped", reason)
        read = self._fitting(tokens, request.truncate)
        if isinstance(read, Failure):
            return read
        known = self.reader.checked(Window(read, 0))
        return known if isinstance(known, Failure) else known.tokens

    def _fitting(self, context: Tokens | None, truncate: bool) -> Tokens | Failure:
        """The context as the encoder reads it; the prefix token stands for one without tokens."""
        if context is None or len(context) == 0:
            if self.reader.prefix is None:
                reason = "no context, and the tokenizer has no BOS or EOS token to stand for it"
                return Failure("skipped", reason)
            return np.array([self.reader.prefix], dtype=np.int32)
        if len(context) > self.max_length and not truncate:
            reason = f"context of {len(context)} tokens, the model reads {self.max_length}"
            return Failure("skipped", reason, tokens=len(context))
        return context[-self.max_length :]
