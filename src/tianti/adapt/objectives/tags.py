"""An encoder learns tags: a linear head on the hidden state of each word's first token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tianti.adapt.entropy import Entropy, weighted
from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.networks import TokenNetwork, body_of, read_windows
from tianti.adapt.tagging import TagBackend
from tianti.adapt.token_rows import NOWHERE, Places, TokenReader, first_tokens
from tianti.core.exceptions import IncompatibleError
from tianti.engine import Backend, Failure
from tianti.engine.tokens import Tokens
from tianti.tasks.task import Example


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text in windows, the tokens that stand for its words, and the numbers of their tags."""

    rows: tuple[Tokens, ...]
    kept: tuple[tuple[int, int], ...]
    places: Places
    labels: Places


@dataclass(frozen=True)
class Tags:
    """Cross-entropy of each word's tag; a word whose first token belongs to the word before has no term of its own."""

    lesson: Lesson

    def build(self, prepare: Prepare) -> TokenNetwork:
        return TokenNetwork(prepare(body_of(self.lesson.model.pair()[0])), self.lesson.outputs)

    def items(self, network: TokenNetwork, examples: Sequence[Example]) -> list[Tagged]:
        reader = TokenReader(network, self.lesson.model.pair()[1], self.lesson.max_length)
        numbers = {label: number for number, label in enumerate(self.lesson.labels)}
        found = []
        for example, text in zip(examples, reader.texts([each.text for each in examples]), strict=True):
            read = reader.windows(text)
            if isinstance(read, Failure):
                raise IncompatibleError(f"cannot train on {example.text[:60]!r}: {read.reason}")
            places, words = np.unique(first_tokens(example.words, text.offsets), return_index=True)
            labels = np.array([numbers[example.tags[word]] for word in words], dtype=np.int64)
            there = places != NOWHERE
            if there.any():
                found.append(Tagged(read.rows, read.kept, places[there], labels[there]))
        return found

    @cached_property
    def entropy(self) -> Entropy:
        """How the tags count, by the adaptation's settings."""
        examples, _ = self.lesson.examples(self.lesson.adaptation.max_examples)
        numbers = {label: number for number, label in enumerate(self.lesson.labels)}
        tags = [numbers[tag] for example in examples for tag in example.tags]
        return weighted(self.lesson.adaptation, tags, self.lesson.labels)

    def loss(self, network: Any, items: Sequence[Tagged]) -> tuple[Tensor, int | Tensor]:
        return self.entropy(*tag_logits(network, items))

    def hits(self, network: Any, items: Sequence[Tagged]) -> tuple[float, int]:
        logits, labels = tag_logits(network, items)
        return float((logits.argmax(dim=1) == labels).sum()), len(labels)

    def backend(self, network: TokenNetwork) -> Backend:
        return TagBackend(
            network, self.lesson.model.pair()[1], self.lesson.labels, self.lesson.model.options.batch
        )


def tag_logits(network: TokenNetwork, items: Sequence[Tagged]) -> tuple[Tensor, Tensor]:
    """The logits [words, tags] of all words, and the numbers of their tags."""
    read = read_windows(network, items)
    logits = torch.cat([part[torch.from_numpy(item.places)] for part, item in zip(read, items, strict=True)])
    labels = torch.from_numpy(np.concatenate([item.labels for item in items])).to(logits.device)
    return logits, labels
