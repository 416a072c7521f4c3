"""An encoder learns labels: a linear head on the mean of the text's last hidden states, one output a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from tianti.adapt.answering import label_backend
from tianti.adapt.entropy import Entropy, weighted
from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.losses import choice_loss, right_choices
from tianti.adapt.networks import PooledNetwork, body_of, pair_separator
from tianti.adapt.samples import Labelled, Reader, labelled
from tianti.engine import Backend
from tianti.tasks.task import Example


@dataclass(frozen=True)
class Labels:
    """Cross-entropy of the right label."""

    lesson: Lesson

    def build(self, prepare: Prepare) -> PooledNetwork:
        network, tokenizer = self.lesson.model.pair()
        paired = any(example.pair for example in self.lesson.task.examples("train"))
        separator = pair_separator(network.config, tokenizer) if paired else None
        return PooledNetwork(prepare(body_of(network)), self.lesson.outputs, separator)

    def items(self, network: PooledNetwork, examples: Sequence[Example]) -> list[Labelled]:
        tokenizer = self.lesson.model.pair()[1]
        return labelled(examples, self.lesson.form, Reader(network, tokenizer, self.lesson.max_length))

    @cached_property
    def entropy(self) -> Entropy:
        """How the labels count, by the adaptation's settings."""
        settings = self.lesson.adaptation
        examples, _ = self.lesson.examples(settings.max_examples)
        return weighted(settings, [example.label or 0 for example in examples], self.lesson.labels)

    def loss(self, network: Any, items: Sequence[Labelled]) -> tuple[Tensor, int | Tensor]:
        return choice_loss(network, items, self.entropy)

    def hits(self, network: Any, items: Sequence[Labelled]) -> tuple[float, int]:
        return right_choices(network, items)

    def backend(self, network: PooledNetwork) -> Backend:
        return label_backend(network, self.lesson.model.pair()[1], self.lesson.model.options.batch)
