"""An encoder–decoder model learns answers as text: the encoder reads the context, the decoder learns the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tianti.adapt.entropy import Entropy, smoothed
from tianti.adapt.fitting import seq2seq_backend
from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.losses import right_tokens
from tianti.adapt.samples import pad
from tianti.core.exceptions import IncompatibleError
from tianti.engine import Backend, Failure, ScoreRequest
from tianti.engine.seq2seq.pairs import Pair, PairTokens
from tianti.engine.tokens import text_length
from tianti.tasks.task import Example


@dataclass(frozen=True)
class Seq2SeqText:
    """Context and answer are split into tokens exactly as the engine splits them when it scores."""

    lesson: Lesson

    def build(self, prepare: Prepare) -> Any:
        return prepare(self.lesson.model.pair()[0])

    def items(self, network: Any, examples: Sequence[Example]) -> list[Pair]:
        original, tokenizer = self.lesson.model.pair()
        length = min(self.lesson.max_length or 10**9, text_length(network, tokenizer))
        reader = PairTokens(tokenizer, length, original.get_input_embeddings().weight.shape[0], None)
        asked = [ScoreRequest(each.context, each.continuation, truncate=True) for each in examples]
        end = tokenizer.eos_token_id if self.lesson.is_written else None
        return [
            _ended(_checked(read, request), end, length)
            for read, request in zip(reader.pairs(asked), asked, strict=True)
        ]

    @cached_property
    def entropy(self) -> Entropy:
        """How tokens count, by the adaptation's settings."""
        return smoothed(self.lesson.adaptation)

    def loss(self, network: Any, items: Sequence[Pair]) -> tuple[Tensor, int | Tensor]:
        logits, targets = pair_logits(network, items)
        return self.entropy(logits.float(), targets)

    def hits(self, network: Any, items: Sequence[Pair]) -> tuple[float, int]:
        return right_tokens(*pair_logits(network, items))

    def backend(self, network: Any) -> Backend:
        return seq2seq_backend(self.lesson.model, network)


def pair_logits(network: Any, items: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """The logits [tokens, vocabulary] that predict each token of the continuations, and those tokens."""
    inputs, written, kept = pair_inputs(network, items)
    read = network(**inputs, use_cache=False)
    return read.logits[kept], written[kept]


def pair_inputs(network: Any, items: Sequence[Pair]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What encoder and decoder read, the continuations' tokens [pairs, longest], and where there are some."""
    device = next(network.parameters()).device
    ids, mask = pad([item.context for item in items], 0, device)
    written, there = pad([item.continuation for item in items], 0, device)
    labels = torch.where(there.bool(), written, -100)
    # The decoder sees each token's predecessors, as the network's own loss has it.
    begun = network.prepare_decoder_input_ids_from_labels(labels=labels)
    return {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": begun}, written, there.bool()


def _checked(read: Pair | Failure, request: ScoreRequest) -> Pair:
    if isinstance(read, Failure):
        raise IncompatibleError(f"cannot train on {request.continuation[:60]!r}: {read.reason}")
    return read


def _ended(pair: Pair, end: int | None, length: int) -> Pair:
    if end is None:
        return pair
    return Pair(pair.context, np.append(pair.continuation, end).astype(np.int32)[:length])
