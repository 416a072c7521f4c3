"""From rows of embeddings to the log-probabilities over the choices: what a gradient can follow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tianti.adapt.networks import PooledNetwork


class Scorer(nn.Module, ABC):
    """From rows of embeddings to the log-probabilities over the choices."""

    embedding: nn.Module

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """[questions, rows, tokens] ids → [questions, choices]."""
        count, _, length = rows.shape
        embedded = self.embedding(rows.reshape(-1, length))
        scores = self.scores(embedded, mask.reshape(-1, length), count)
        logprobs: Tensor = scores.reshape(count, -1).float().log_softmax(dim=1)
        return logprobs

    @abstractmethod
    def scores(self, embedded: Tensor, mask: Tensor, count: int) -> Tensor:
        """[questions · rows, tokens, width] → a score for each question and choice."""


class _Lookup(nn.Module):
    """The embedding under a module of its own: other parts of a network may use the same table."""

    def __init__(self, table: nn.Module) -> None:
        super().__init__()
        self.table = table

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.table(ids)
        return found


class HeadScorer(Scorer):
    """A head on a body: its outputs for one row, or its one output for each row."""

    def __init__(self, network: PooledNetwork) -> None:
        super().__init__()
        self.embedding = _Lookup(network.body.get_input_embeddings())
        self.network = network

    def scores(self, embedded: Tensor, mask: Tensor, count: int) -> Tensor:
        body = self.network.body
        read = body(inputs_embeds=embedded, attention_mask=mask, **self.network.options)
        weights = mask.unsqueeze(-1).float()
        pooled = (read.last_hidden_state.float() * weights).sum(dim=1) / weights.sum(dim=1)
        found: Tensor = self.network.head(pooled)
        return found


class CausalScorer(Scorer):
    """The summed log-probabilities of the last tokens of each row: those of the choice."""

    def __init__(self, network: Any, scored: Sequence[int]) -> None:
        super().__init__()
        self.embedding = _Lookup(network.get_input_embeddings())
        self.network = network
        self.scored = list(scored)
        self.targets: list[list[int]] = []

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        lengths = mask[0].sum(dim=1).tolist()
        self.targets = [
            rows[0, row, int(length) - count : int(length)].tolist()
            for row, (length, count) in enumerate(zip(lengths, self.scored, strict=True))
        ]
        self.ends = [int(length) for length in lengths]
        return super().forward(rows, mask)

    def scores(self, embedded: Tensor, mask: Tensor, count: int) -> Tensor:
        logits = self.network(inputs_embeds=embedded, attention_mask=mask, use_cache=False).logits
        logprobs = logits.float().log_softmax(dim=-1).reshape(count, len(self.scored), *logits.shape[1:])
        found = []
        for row, (end, targets) in enumerate(zip(self.ends, self.targets, strict=True)):
            places = torch.arange(end - len(targets) - 1, end - 1)
            found.append(logprobs[:, row, places, torch.tensor(targets)].sum(dim=1))
        return torch.stack(found, dim=1)


class PairScorer(Scorer):
    """The summed log-probabilities of the decoder's tokens; the encoder reads the rows."""

    def __init__(self, network: Any, continuations: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.embedding = _Lookup(network.get_encoder().get_input_embeddings())
        self.network = network
        self.continuations = [list(each) for each in continuations]

    def scores(self, embedded: Tensor, mask: Tensor, count: int) -> Tensor:
        longest = max(map(len, self.continuations))
        start = self.network.config.decoder_start_token_id
        read = torch.tensor(
            [[start, *each[:-1]] + [0] * (longest - len(each)) for each in self.continuations]
        ).to(embedded.device)
        logits = self.network(
            inputs_embeds=embedded,
            attention_mask=mask,
            decoder_input_ids=read.repeat(count, 1),
            use_cache=False,
        ).logits
        logprobs = (
            logits.float().log_softmax(dim=-1).reshape(count, len(self.continuations), *logits.shape[1:])
        )
        found = [
            logprobs[:, row, torch.arange(len(each)), torch.tensor(each)].sum(dim=1)
            for row, each in enumerate(self.continuations)
        ]
        return torch.stack(found, dim=1)
