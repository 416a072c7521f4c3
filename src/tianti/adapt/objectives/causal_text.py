"""A causal language model learns answers as text: the loss is on the answer's tokens alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from tianti.adapt.entropy import Entropy, smoothed
from tianti.adapt.fitting import causal_backend
from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.losses import answer_logits, answer_loss, right_tokens
from tianti.adapt.packing import packed_logits
from tianti.adapt.samples import windows
from tianti.engine import Backend
from tianti.engine.tokens import Window
from tianti.tasks.task import Example


@dataclass(frozen=True)
class CausalText:
    """Context and answer are one text, split into tokens exactly as the engine splits them when it scores."""

    lesson: Lesson

    def build(self, prepare: Prepare) -> Any:
        return prepare(self.lesson.model.pair()[0])

    def items(self, network: Any, examples: Sequence[Example]) -> list[Window]:
        tokenizer = self.lesson.model.pair()[1]
        return windows(examples, network, tokenizer, self.lesson.max_length, ends=self.lesson.is_written)

    @cached_property
    def entropy(self) -> Entropy:
        """How tokens count, by the adaptation's settings."""
        return smoothed(self.lesson.adaptation)

    def loss(self, network: Any, items: Sequence[Window]) -> tuple[Tensor, int | Tensor]:
        if getattr(self.lesson.adaptation, "batches", None) == "packed":
            logits, targets = packed_logits(network, items)
            return self.entropy(logits.float(), targets)
        return answer_loss(network, items, self.entropy)

    def hits(self, network: Any, items: Sequence[Window]) -> tuple[float, int]:
        return right_tokens(*answer_logits(network, items))

    def backend(self, network: Any) -> Backend:
        return causal_backend(self.lesson.model, network)
