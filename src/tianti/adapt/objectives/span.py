"""An encoder learns spans: two outputs on each token of a passage say how likely the answer begins, and ends, there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tianti.adapt.entropy import Entropy, smoothed
from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.marking import SpanBackend
from tianti.adapt.networks import TokenNetwork, body_of, pair_separator, read_windows
from tianti.adapt.token_rows import TokenReader, span_tokens
from tianti.core.exceptions import IncompatibleError
from tianti.engine import Backend, Failure
from tianti.engine.tokens import Tokens
from tianti.tasks.task import Example


@dataclass(frozen=True, slots=True)
class Marked:
    """A question with its passage in windows, and the first and last token of the answer."""

    rows: tuple[Tokens, ...]
    kept: tuple[tuple[int, int], ...]
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """Cross-entropy of the answer's first token among all tokens of the passage, and of its last one.

    The softmax is over all windows of a passage (Clark & Gardner 2018, shared normalisation), so that the windows of a
    long passage can be compared. Examples whose answer does not stand in the passage teach nothing: they are left out,
    and their number is in the run's facts.
    """

    lesson: Lesson

    def build(self, prepare: Prepare) -> TokenNetwork:
        network, tokenizer = self.lesson.model.pair()
        body = prepare(body_of(network))
        return TokenNetwork(body, self.lesson.outputs, pair_separator(network.config, tokenizer))

    def items(self, network: TokenNetwork, examples: Sequence[Example]) -> list[Marked]:
        reader = TokenReader(network, self.lesson.model.pair()[1], self.lesson.max_length)
        there = [(each, each.span) for each in examples if each.span is not None]
        if examples and not there:
            raise IncompatibleError(
                f"{self.lesson.task.info.name}: no answer stands in its passage, so no span can be learned",
                remedy="let a causal or encoder–decoder model write the answers",
            )
        texts = reader.pairs([each.text for each, _ in there], [each.passage for each, _ in there])
        found = []
        for (example, span), text in zip(there, texts, strict=True):
            read, tokens = reader.windows(text), span_tokens(span, text.offsets)
            if isinstance(read, Failure) or tokens is None:
                reason = read.reason if isinstance(read, Failure) else "the tokenizer drops the answer"
                raise IncompatibleError(f"cannot train on {example.text[:60]!r}: {reason}")
            found.append(Marked(read.rows, read.kept, *tokens))
        return found

    @cached_property
    def entropy(self) -> Entropy:
        """How the ends count, by the adaptation's settings."""
        return smoothed(self.lesson.adaptation)

    def loss(self, network: Any, items: Sequence[Marked]) -> tuple[Tensor, int | Tensor]:
        return self.entropy(*end_logits(network, items))

    def hits(self, network: Any, items: Sequence[Marked]) -> tuple[float, int]:
        logits, ends = end_logits(network, items)
        return float((logits.argmax(dim=1) == ends).sum()), len(ends)

    def backend(self, network: TokenNetwork) -> Backend:
        examples, _ = self.lesson.examples(self.lesson.adaptation.max_examples)
        absent = sum(example.span is None for example in examples)
        tokenizer, batch = self.lesson.model.pair()[1], self.lesson.model.options.batch
        return SpanBackend(network, tokenizer, batch, facts={"examples_left_out": absent})


def end_logits(network: TokenNetwork, items: Sequence[Marked]) -> tuple[Tensor, Tensor]:
    """The logits [2 · items, tokens] of where each answer begins, then of where each ends, and the right tokens."""
    read = pad_sequence(read_windows(network, items), batch_first=True, padding_value=-torch.inf)
    ends = torch.tensor([[item.start, item.end] for item in items], device=read.device)
    return read.permute(2, 0, 1).flatten(0, 1), ends.T.flatten()
