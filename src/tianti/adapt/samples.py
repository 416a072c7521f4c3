"""Training examples as tokens, cut into training and validation, and put together to batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from tianti.adapt.fitting import Form, join
from tianti.core.exceptions import IncompatibleError
from tianti.engine import Failure, RollingRequest, ScoreRequest
from tianti.engine.tokens import CausalTokens, Tokens, Window, text_length
from tianti.tasks.task import Example

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows of tokens and which output is right.

    One row: `label` is one of the network's outputs. Several rows, one a choice: `label` is one of the rows.
    """

    rows: tuple[Tokens, ...]
    label: int


class Rows(Protocol):
    """What is learned from as one item: the rows of tokens that the network reads for it."""

    @property
    def rows(self) -> tuple[Tokens, ...]: ...


Item = Window | Rows


def size(item: Item) -> int:
    """The number of tokens that the network reads for an item."""
    return len(item.tokens) if isinstance(item, Window) else sum(map(len, item.rows))


class Reader:
    """Texts to rows of tokens for a network with a head: the tokenizer's own special tokens, cut at `max_length`.

    Not cut with `truncate` off, for who skips a text that is too long.
    """

    def __init__(
        self, network: Any, tokenizer: Any, max_length: int | None = None, *, truncate: bool = True
    ) -> None:
        self.tokenizer = tokenizer
        self.truncate = truncate
        limits = [text_length(network, tokenizer), tokenizer.model_max_length, max_length or 10**9]
        self.max_length = int(min(limits))
        self.fill = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0)
        """Stands where a row is padded, behind the mask, and for a text without tokens."""

    def read(self, texts: Sequence[str | tuple[str, str]]) -> list[Tokens]:
        """One row of at least one token per text; two texts are read as the tokenizer writes a pair."""
        if not texts:
            return []
        cut = {"truncation": True, "max_length": self.max_length} if self.truncate else {}
        encoded = self.tokenizer(list(texts), return_attention_mask=False, verbose=False, **cut)["input_ids"]
        return [np.array(tokens or [self.fill], dtype=np.int64) for tokens in encoded]


def windows(
    examples: Sequence[Example], network: Any, tokenizer: Any, max_length: int | None, *, ends: bool
) -> list[Window]:
    """Context and continuation as tokens, split exactly as the engine splits them when it scores.

    An example without context is a text to model; it may take several windows. With `ends` the end-of-text token
    follows each answer, so that the model learns to stop.

    Raises:
        IncompatibleError: an answer that the model cannot read.
    """
    length = min(max_length or 10**9, text_length(network, tokenizer))
    reader = CausalTokens(tokenizer, length, network.get_input_embeddings().weight.shape[0])
    answers = [ScoreRequest(e.context, e.continuation, truncate=True) for e in examples if e.context]
    texts = [RollingRequest(e.continuation) for e in examples if not e.context]
    end = tokenizer.eos_token_id if ends else None
    found = [
        _checked(window, request) for window, request in zip(reader.windows(answers), answers, strict=True)
    ]
    if end is not None:
        found = [Window(np.append(w.tokens, end)[-(length + 1) :], min(w.scored + 1, length)) for w in found]
    for rolled, text in zip(reader.rolling(texts), texts, strict=True):
        found += _checked(rolled, text)
    return found


def _checked(read: T | Failure, request: ScoreRequest | RollingRequest) -> T:
    if isinstance(read, Failure):
        text = request.text if isinstance(request, RollingRequest) else request.continuation
        raise IncompatibleError(f"cannot train on {text[:60]!r}: {read.reason}")
    return read


def labelled(examples: Sequence[Example], form: Form, reader: Reader) -> list[Labelled]:
    """Examples with a label as rows of tokens: the text alone, or the text with each of its choices."""
    texts = [
        [join(example.text, choice) for choice in example.choices]
        if form == "choices"
        else [example.pair or example.text]
        for example in examples
    ]
    rows = iter(reader.read([text for group in texts for text in group]))
    return [
        Labelled(tuple(next(rows) for _ in group), example.label or 0)
        for example, group in zip(examples, texts, strict=True)
    ]


def pad(rows: Sequence[Tokens], fill: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of tokens side by side, padded on the right: ids and mask, each [rows, longest]."""
    ids = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def shuffled_batches(
    sizes: Sequence[int], batch: int, generator: torch.Generator, *, pool: int = 8
) -> list[list[int]]:
    """Indices in batches of about equal length, in random order.

    A random permutation is cut into pools of `pool` batches; each pool is sorted by length and cut into batches, and
    the batches are shuffled. So little is padded, and which examples meet in a batch still changes each epoch.
    """
    order = torch.randperm(len(sizes), generator=generator).tolist()
    batches = []
    for start in range(0, len(order), batch * pool):
        near = sorted(order[start : start + batch * pool], key=lambda index: sizes[index])
        batches += [near[first : first + batch] for first in range(0, len(near), batch)]
    return [batches[index] for index in torch.randperm(len(batches), generator=generator).tolist()]


def random_batches(count: int, batch: int, generator: torch.Generator) -> list[list[int]]:
    """Indices below `count` in random order, in batches."""
    order = torch.randperm(count, generator=generator).tolist()
    return [order[start : start + batch] for start in range(0, count, batch)]


def sorted_batches(sizes: Sequence[int], batch: int) -> list[list[int]]:
    """Indices in batches from the longest to the shortest."""
    order = sorted(range(len(sizes)), key=lambda index: -sizes[index])
    return [order[start : start + batch] for start in range(0, len(order), batch)]
