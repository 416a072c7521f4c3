"""Scores by whole rows: every distinct reading is one padded row of a batch. Works for every causal network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from tianti.engine.batches import Batches, BatchLimit, Row, Usage
from tianti.engine.padding import padded
from tianti.engine.prefix.tree import Places
from tianti.engine.requests import Failure
from tianti.engine.scoring.logits import (
    Head,
    Reading,
    Scored,
    about_equal,
    cut_scores,
    look_up,
    plain_logits,
    readings,
)
from tianti.engine.tokens import Tokens, Window


class PlainReader:
    """Runs padded rows through a network.

    Where a check on a few tokens shows that the head cannot be run at chosen positions only, all logits are made.
    """

    def __init__(self, network: Any, head: Head) -> None:
        self.network = network
        self.head = head
        self.device = next(network.parameters()).device
        self.gathers = self._gathering_is_right()

    @torch.inference_mode()
    def read(self, rows: Sequence[Tokens], row_of: Places, position: Places) -> torch.Tensor:
        """Logits (n × vocabulary) at each `position` of the row of the same place in `row_of`, both of length n."""
        return self._gathered(rows, row_of, position) if self.gathers else self._all(rows, row_of, position)

    def _gathered(self, rows: Sequence[Tokens], row_of: Places, position: Places) -> torch.Tensor:
        tokens, _ = padded(rows, 0, self.device)
        row, at = (torch.from_numpy(index).to(self.device) for index in (row_of, position))

        # Padding stands on the right, where a causal network cannot see it: no mask is needed.
        def gather(hidden: torch.Tensor) -> torch.Tensor:
            soft_prompt = hidden.shape[1] - tokens.shape[1]
            return hidden[row, at + soft_prompt]

        return self.head.logits(gather, input_ids=tokens)

    def _all(self, rows: Sequence[Tokens], row_of: Places, position: Places) -> torch.Tensor:
        tokens, mask = padded(rows, 0, self.device)
        row, at = (torch.from_numpy(index).to(self.device) for index in (row_of, position))
        logits: torch.Tensor = self.network(input_ids=tokens, attention_mask=mask).logits
        return logits[row, at + logits.shape[1] - tokens.shape[1]]

    @torch.inference_mode()
    def _gathering_is_right(self) -> bool:
        """Whether gathered logits of padded rows equal the full logits of each row alone."""
        if not self.head.found:
            return False
        vocabulary = self.network.get_input_embeddings().weight.shape[0]
        rows = [np.arange(length, dtype=np.int32) * 7 % vocabulary for length in (3, 6)]
        row_of, position = np.array([0, 0, 1, 1, 1]), np.array([1, 2, 0, 3, 5])
        gathered = self._gathered(rows, row_of, position)
        alone = [plain_logits(self.network, row) for row in rows]
        return about_equal(gathered, torch.cat((alone[0][position[:2]], alone[1][position[2:]])))


class PlainScorer:
    """Scores windows by padded rows of similar length."""

    def __init__(self, reader: PlainReader, limit: BatchLimit, usage: Usage) -> None:
        self.reader = reader
        self.limit = limit
        self.usage = usage

    def facts(self) -> Mapping[str, Any]:
        return {"scoring": "plain", "logits": "gathered" if self.reader.gathers else "full"}

    def prepare(self, windows: Sequence[Window]) -> None:
        """Nothing is shared between rows."""

    def score(self, windows: Sequence[Window]) -> Iterator[tuple[int, Scored | Failure]]:
        rows = readings(windows)

        def run(batch: Sequence[int]) -> list[list[Scored]]:
            return self._score(windows, [rows[number] for number in batch])

        sizes = [Row(len(row.tokens), row.scored) for row in rows]
        for number, result in Batches(sizes, run, self.limit, self.usage):
            for place, window in enumerate(rows[number].windows):
                yield window, result if isinstance(result, Failure) else result[place]

    def _score(self, windows: Sequence[Window], rows: Sequence[Reading]) -> list[list[Scored]]:
        """For each row the scores of its windows, in the order of `row.windows`."""
        counts = [row.scored for row in rows]
        first = np.cumsum([0, *counts])
        row_of = np.repeat(np.arange(len(rows)), counts)
        position = np.concatenate([np.arange(len(row.tokens) - row.scored, len(row.tokens)) for row in rows])
        logits = self.reader.read([row.tokens for row in rows], row_of, position)

        scored = [windows[number] for row in rows for number in row.windows]
        ends = [int(first[index + 1]) for index, row in enumerate(rows) for _ in row.windows]
        at = np.concatenate([np.arange(end - w.scored, end) for end, w in zip(ends, scored, strict=True)])
        targets = np.concatenate([window.tokens[-window.scored :] for window in scored])
        logprobs, likeliest = look_up(logits, at, targets)

        found = iter(cut_scores(logprobs, likeliest, [window.scored for window in scored]))
        return [[next(found) for _ in row.windows] for row in rows]
