"""Texts as tokens of which each is looked at: where they stand in the text, and the windows in which they are read.

A text that is longer than the model reads is read in windows that overlap by half; each token is looked at in the one
window where it has most text around it. So every token of a text is seen once, whatever the text's length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import IncompatibleError
from tianti.engine import Failure
from tianti.engine.tokens import Tokens, text_length

Places = NDArray[np.int64]

NOWHERE = -1
"""The place of a word that has no token."""


@dataclass(frozen=True, slots=True)
class Framed:
    """The tokens of a text, and what stands before and after them: special tokens, and the question of a pair."""

    before: Tokens
    content: Tokens
    offsets: Places
    """[start, end) of each token of the content, in characters; [tokens, 2]."""
    after: Tokens


@dataclass(frozen=True, slots=True)
class Windowed:
    """The rows in which a text is read, and for each row the positions [start, stop) that are looked at.

    The positions of all rows, one after the other, are the tokens of the text.
    """

    rows: tuple[Tokens, ...]
    kept: tuple[tuple[int, int], ...]


class TokenReader:
    """Reads texts, and pairs of question and passage, for a network that looks at tokens.

    Raises:
        IncompatibleError: the tokenizer cannot say where its tokens stand in the text.
    """

    def __init__(self, network: Any, tokenizer: Any, max_length: int | None = None) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise IncompatibleError(
                f"{type(tokenizer).__name__} cannot say where its tokens stand in the text, which tags and spans need",
                remedy="give the model a tokenizer.json (a fast tokenizer)",
            )
        self.tokenizer = tokenizer
        limits = [text_length(network, tokenizer), tokenizer.model_max_length, max_length or 10**9]
        self.max_length = int(min(limits))
        self.fill = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0)

    def texts(self, texts: Sequence[str]) -> list[Framed]:
        """Each text between the tokenizer's special tokens."""
        return self._framed(texts, None) if texts else []

    def pairs(self, questions: Sequence[str], passages: Sequence[str]) -> list[Framed]:
        """Each passage behind its question, as the tokenizer writes a pair."""
        return self._framed(questions, passages) if questions else []

    def windows(self, text: Framed) -> Windowed | Failure:
        """The rows in which a text is read, or why it cannot be."""
        room = self.max_length - len(text.before) - len(text.after)
        if room < 1:
            length = len(text.before) + len(text.after)
            reason = f"{length} tokens before and after the text, the model reads {self.max_length}"
            return Failure("skipped", reason, tokens=length + len(text.content))
        if not len(text.content):
            return Failure("skipped", "the text has no token")
        rows, kept = [], []
        for start, end, first, last in window_places(len(text.content), room):
            rows.append(np.concatenate((text.before, text.content[start:end], text.after)))
            kept.append((len(text.before) + first - start, len(text.before) + last - start))
        return Windowed(tuple(rows), tuple(kept))

    def _framed(self, texts: Sequence[str], seconds: Sequence[str] | None) -> list[Framed]:
        pair = () if seconds is None else (list(seconds),)
        encoded = self.tokenizer(list(texts), *pair, return_offsets_mapping=True, verbose=False)
        wanted = 0 if seconds is None else 1
        found = []
        for index, (ids, offsets) in enumerate(
            zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        ):
            places = [
                place for place, sequence in enumerate(encoded.sequence_ids(index)) if sequence == wanted
            ]
            first, last = (places[0], places[-1] + 1) if places else (len(ids), len(ids))
            tokens = np.array(ids, dtype=np.int32)
            spans = np.array(offsets, dtype=np.int64).reshape(-1, 2)[first:last]
            found.append(Framed(tokens[:first], tokens[first:last], spans, tokens[last:]))
        return found


def window_places(tokens: int, room: int) -> list[tuple[int, int, int, int]]:
    """The windows over so many tokens, `room` tokens wide: [start, end), and the part [first, last) that is kept.

    The overlap of two windows is cut in its middle.
    """
    last_start = max(tokens - room, 0)
    starts = [*range(0, last_start, max(room // 2, 1)), last_start]
    ends = [min(start + room, tokens) for start in starts]
    cuts = [0, *((start + end) // 2 for start, end in zip(starts[1:], ends, strict=False)), tokens]
    return list(zip(starts, ends, cuts, cuts[1:], strict=False))


def first_tokens(words: Sequence[tuple[int, int]], offsets: Places) -> Places:
    """The number of each word's first token; NOWHERE for a word that the tokenizer drops.

    Several words may share a token, where a tokenizer does not split at words.
    """
    places = np.full(len(words), NOWHERE, dtype=np.int64)
    if not len(offsets):
        return places
    ends = np.maximum.accumulate(offsets[:, 1])  # a token without text of its own stands at 0
    found = np.searchsorted(ends, [start for start, _ in words], side="right")
    for number, ((_, end), token) in enumerate(zip(words, found, strict=True)):
        if token < len(offsets) and offsets[token, 0] < end:
            places[number] = token
    return places


def span_tokens(span: tuple[int, int], offsets: Places) -> tuple[int, int] | None:
    """The first and the last token that share characters with a span; None where none does."""
    touched = np.flatnonzero((offsets[:, 0] < span[1]) & (offsets[:, 1] > span[0]))
    return (int(touched[0]), int(touched[-1])) if len(touched) else None
