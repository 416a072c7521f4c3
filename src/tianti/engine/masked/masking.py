"""Text to masked rows: what a masked language model reads to score a continuation token by token.

The pseudo-log-likelihood of a continuation is the sum over its tokens of the log-probability of each, masked, given
all others (Salazar et al. 2020, "Masked Language Model Scoring"). Done literally it overrates words of several tokens:
the pieces that are left standing give the masked one away. With `word` the pieces of the same word that come after the
masked one are masked too (PLL-word-l2r of Kauf and Ivanova 2023, "A Better Way to Do Masked Language Model Scoring"),
so that a word is predicted from left to right and everything outside of it is seen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tianti.core.exceptions import IncompatibleError
from tianti.engine.requests import Failure, ScoreRequest
from tianti.engine.tokens import TEXTS_AT_ONCE, Tokens

UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""Scripts without spaces between words, by the first words of their characters' Unicode names."""

Word = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A context with its continuation as the model reads it.

    `scored` are the places of the continuation's tokens in rising order, `words` says of each which word it is part of.
    """

    tokens: Tokens
    scored: list[int]
    words: list[Word]


@dataclass(frozen=True, slots=True)
class MaskedRow:
    """One row that the network reads; the token at `place` is asked for."""

    tokens: Tokens
    place: int


class MaskedTokens:
    """How one masked language model with its tokenizer reads requests.

    `max_length` counts the special tokens too. `vocabulary` is the number of rows of the embedding.
    """

    def __init__(self, tokenizer: Any, max_length: int, vocabulary: int) -> None:
        if tokenizer.mask_token_id is None:
            raise IncompatibleError(
                f"{type(tokenizer).__name__} has no mask token, so no token can be asked for",
                remedy="name the mask token in tokenizer_config.json, or use head-only, lora or full",
            )
        if not tokenizer.is_fast:
            raise IncompatibleError(
                f"{type(tokenizer).__name__} does not say which characters a token stands for",
                remedy="use a fast tokenizer (tokenizer.json)",
            )
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.vocabulary = vocabulary
        self.mask = int(tokenizer.mask_token_id)

    def texts(self, requests: Sequence[ScoreRequest]) -> list[Text | Failure]:
        """One text per request, or why it cannot be asked."""
        wholes = [request.context + request.continuation for request in requests]
        return [
            self._text(request, *encoded)
            for request, encoded in zip(requests, self._encoded(wholes), strict=True)
        ]

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, special tokens of the tokenizer included."""
        return [len(tokens) for tokens, *_ in self._encoded(texts)]

    def rows(self, text: Text, *, by_word: bool) -> Iterator[MaskedRow]:
        """For each scored token the row in which it is masked, with the rest of its word if `by_word`."""
        for number, place in enumerate(text.scored):
            rest = [
                later
                for later, word in zip(text.scored[number + 1 :], text.words[number + 1 :], strict=True)
                if by_word and word == text.words[number]
            ]
            tokens = text.tokens.copy()
            tokens[[place, *rest]] = self.mask
            yield MaskedRow(tokens, place)

    def _text(
        self,
        request: ScoreRequest,
        tokens: Tokens,
        special: Sequence[int],
        spans: Sequence[tuple[int, int]],
        words: Sequence[int | None],
    ) -> Text | Failure:
        # A token stands for the continuation when any of its characters does; spaces at the join are of no account.
        start = len(request.context.rstrip())
        own = [place for place, mark in enumerate(special) if not mark]
        scored = [place for place in own if spans[place][1] > start]
        if not scored:
            return Failure("skipped", "the continuation has no token of its own", tokens=len(tokens))
        excess = len(tokens) - self.max_length
        if len(scored) + len(tokens) - len(own) > self.max_length:
            reason = f"continuation of {len(scored)} tokens, the model reads {self.max_length}"
            return Failure("skipped", reason, tokens=len(tokens))
        if excess > 0 and not request.truncate:
            reason = f"prompt and answer of {len(tokens)} tokens, the model reads {self.max_length}"
            return Failure("skipped", reason, tokens=len(tokens))
        if int(tokens.max()) >= self.vocabulary or self.mask >= self.vocabulary:
            reason = f"token {max(int(tokens.max()), self.mask)} of the tokenizer is outside the model's vocabulary"
            return Failure("error", f"{reason} of {self.vocabulary}", tokens=len(tokens))
        cut = set(own[: max(excess, 0)])
        kept = [place for place in range(len(tokens)) if place not in cut]
        moved = {place: new for new, place in enumerate(kept)}
        whole = request.context + request.continuation
        return Text(
            tokens[kept],
            [moved[place] for place in scored],
            [_word(whole, spans[place], words[place]) for place in scored],
        )

    def _encoded(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[Tokens, list[int], list[tuple[int, int]], list[int | None]]]:
        """Token ids of each text with special tokens, which of them are special, their characters, their words."""
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            encoded = self.tokenizer(
                list(texts[first : first + TEXTS_AT_ONCE]),
                return_offsets_mapping=True,
                return_special_tokens_mask=True,
                return_attention_mask=False,
                verbose=False,
            )
            for number, tokens in enumerate(encoded["input_ids"]):
                yield (
                    np.array(tokens, dtype=np.int32),
                    encoded["special_tokens_mask"][number],
                    encoded["offset_mapping"][number],
                    encoded.word_ids(number),
                )


def _word(text: str, span: tuple[int, int], word: int | None) -> Word:
    """Which word a token is part of: the tokenizer's, or the characters alone in a script without spaces.

    Without that exception a whole Chinese sentence would be one word to a tokenizer that splits at spaces.
    """
    characters = text[span[0] : span[1]].strip()
    if characters and unicodedata.name(characters[0], "").startswith(UNSPACED):
        return span
    return (word,) if word is not None else span
