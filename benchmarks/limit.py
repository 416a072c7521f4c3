"""The limit: the seconds that the bare network needs for the same work, dense, in the best batch shape found.

A dense forward pass over as many tokens as there are distinct ones, without the output head; then the head and its
log-softmax at as many positions as are scored. For written answers then a bare loop that writes all of them at once, a
row leaving the batch when its answer ends; its cache holds each distinct token of the prompts once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from peers import now
from work import Work

ROW_LENGTHS = (64, 256, 1024)
TOKENS_AT_ONCE = {"cpu": (256, 1024, 4096), "cuda": (4096, 16384, 65536)}
POSITIONS_AT_ONCE = {"cpu": (32, 128, 512), "cuda": (512, 2048)}
TRIES = 2


class Limit:
    """Runs the work of a shape through a bare network; made once per shape, since it searches for its batch shapes."""

    def __init__(self, network: Any, work: Work) -> None:
        self.network = network
        self.work = work
        device = network.device.type
        shapes = [
            (min(tokens, work.distinct) // length or 1, min(length, work.distinct))
            for tokens in TOKENS_AT_ONCE[device]
            for length in ROW_LENGTHS
            if length <= tokens
        ]
        self.rows, self.length = min(dict.fromkeys(shapes), key=self._seconds_per_token)
        sizes = dict.fromkeys(min(size, work.scored) for size in POSITIONS_AT_ONCE[device])
        self.positions = min(sizes, key=self._seconds_per_position)

    @torch.inference_mode()
    def seconds(self) -> float:
        """Seconds for all the work, once."""
        read = _seconds(self._read)
        scored = _seconds(lambda: self._score(self.work.scored))
        return read + scored + (self._seconds_writing() if self.work.written else 0.0)

    def __str__(self) -> str:
        return f"{self.rows} × {self.length} tokens, head at {self.positions} positions"

    def _read(self) -> None:
        """All distinct tokens, a batch at a time; what is left over is read in a smaller batch."""
        left = self.work.distinct
        while left:
            length = min(self.length, left)
            rows = min(self.rows, left // length)
            self._forward(rows, length)
            left -= rows * length

    def _forward(self, rows: int, length: int) -> None:
        tokens = torch.ones(rows, length, dtype=torch.long, device=self.network.device)
        self.network.model(input_ids=tokens, use_cache=False)

    def _score(self, positions: int) -> None:
        width, vocabulary = self.network.config.hidden_size, self.network.config.vocab_size
        wanted = torch.arange(self.positions, device=self.network.device).unsqueeze(1) % vocabulary
        for start in range(0, positions, self.positions):
            count = min(self.positions, positions - start)
            hidden = torch.ones(count, width, dtype=self.network.dtype, device=self.network.device)
            logits = self.network.lm_head(hidden)
            logits.argmax(dim=-1)
            logits.float().log_softmax(dim=-1).gather(1, wanted[:count])

    def _seconds_writing(self) -> float:
        """Seconds for the tokens after the first of each answer, with the keys and values of the prompts given.

        The distinct tokens of the prompts are spread over the rows: the least that an engine could look back at.
        """
        from transformers import DynamicCache

        lengths = sorted(self.work.written, reverse=True)
        config = self.network.config
        cache = DynamicCache(config=config)
        shape = (
            len(lengths),
            config.num_key_value_heads,
            max(1, self.work.distinct // len(lengths)),
            config.head_dim,
        )
        for layer in range(config.num_hidden_layers):
            given = torch.ones(shape, dtype=self.network.dtype, device=self.network.device)
            cache.update(given, given.clone(), layer)

        def write() -> None:
            alive = len(lengths)
            tokens = torch.ones(alive, 1, dtype=torch.long, device=self.network.device)
            for step in range(1, lengths[0]):
                still = sum(length > step for length in lengths)
                if still < alive:
                    alive = still
                    cache.batch_select_indices(torch.arange(alive, device=self.network.device))
                    tokens = tokens[:alive]
                logits = self.network(input_ids=tokens, past_key_values=cache, use_cache=True).logits
                tokens = logits.argmax(dim=-1)

        return _seconds(write)

    @torch.inference_mode()
    def _seconds_per_token(self, shape: tuple[int, int]) -> float:
        return min(_seconds(lambda: self._forward(*shape)) for _ in range(TRIES)) / (shape[0] * shape[1])

    @torch.inference_mode()
    def _seconds_per_position(self, positions: int) -> float:
        self.positions = positions
        return min(_seconds(lambda: self._score(positions)) for _ in range(TRIES)) / positions


def _seconds(run: Callable[[], None]) -> float:
    started = now()
    run()
    return now() - started
