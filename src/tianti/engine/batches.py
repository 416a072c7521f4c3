"""Batches of rows of similar length, halved when memory runs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from tianti.engine.requests import Failure

Result = TypeVar("Result")

PADDING_WORTH_A_BATCH = 256
"""Padding, in tokens, that costs about as much as starting one more batch."""


@dataclass(frozen=True)
class BatchLimit:
    """What a batch may hold: `rows`, or with padding counted `tokens` and `scored` positions."""

    rows: int | None = None
    tokens: int = 8192
    scored: int = 1 << 20

    def halved(self, rows: int, tokens: int, scored: int) -> BatchLimit:
        """The limit after a batch of this size was too large."""
        if self.rows is not None:
            return BatchLimit(max(1, rows // 2), self.tokens, self.scored)
        return BatchLimit(None, max(1, tokens // 2), max(1, scored // 2))


@dataclass
class Usage:
    """What answering took, summed over all batches."""

    limit: BatchLimit = field(default_factory=BatchLimit)
    """The limit of the latest batch."""
    seconds: float = 0.0
    tokens: int = 0
    padded_tokens: int = 0
    batches: int = 0
    largest_batch: int = 0
    halvings: int = 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time inside as time of answering."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started

    def wrote(self, tokens: int) -> None:
        """Count tokens that were generated."""
        self.tokens += tokens
        self.padded_tokens += tokens

    def facts(self) -> Mapping[str, Any]:
        """The figures under the names that a run records."""
        share = 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0
        return {
            "batch_rows": self.limit.rows,
            "batch_tokens": None if self.limit.rows else self.limit.tokens,
            "seconds_answering": round(self.seconds, 3),
            "tokens_run": self.tokens,
            "padding_share": round(share, 4),
            "batches": self.batches,
            "largest_batch": self.largest_batch,
            "batch_halvings": self.halvings,
        }


@dataclass(frozen=True)
class Row:
    """The size of one row: tokens read, positions whose whole distribution is needed, and tokens yet to be written.

    Only rows with the same `room` share a batch.
    """

    length: int
    scored: int = 1
    room: int = 0


@dataclass
class Batches(Generic[Result]):
    """Runs rows through `run` in batches.

    `run` takes the numbers of the rows of one batch, the longest first, and gives a result for each. Where it runs out
    of memory the limit is halved and the batch tried again; a single row that is too large is a `Failure`.
    """

    rows: Sequence[Row]
    run: Callable[[Sequence[int]], Sequence[Result]]
    limit: BatchLimit
    usage: Usage = field(default_factory=Usage)

    def __iter__(self) -> Iterator[tuple[int, Result | Failure]]:
        # Longest first: what does not fit in memory shows at once.
        order = sorted(range(len(self.rows)), key=lambda row: (self.rows[row].room, -self.rows[row].length))
        start = 0
        while start < len(order):
            batch = order[start : start + self._count(order, start)]
            results = self._attempt(batch)
            if results is not None:
                yield from zip(batch, results, strict=True)
                start += len(batch)

    def _count(self, order: Sequence[int], start: int) -> int:
        """How many rows from `start` on make the next batch: at least one."""
        first = self.rows[order[start]]
        count = scored = padding = 0
        for index in order[start:]:
            row = self.rows[index]
            count, scored, padding = count + 1, scored + row.scored, padding + first.length - row.length
            if count == 1:
                continue
            if row.room != first.room or self._full(
                count, count * (first.length + first.room), scored, padding
            ):
                return count - 1
        return count

    def _full(self, rows: int, tokens: int, scored: int, padding: int) -> bool:
        if self.limit.rows is not None:
            return rows > self.limit.rows
        wasteful = padding > max(PADDING_WORTH_A_BATCH, tokens // 8)
        return wasteful or tokens > self.limit.tokens or scored > self.limit.scored

    def _attempt(self, batch: Sequence[int]) -> Sequence[Result | Failure] | None:
        """The results of one batch, or None when it has to be tried again under a smaller limit."""
        sizes = [self.rows[index] for index in batch]
        longest = sizes[0].length
        self.usage.limit = self.limit
        try:
            with self.usage.timed():
                results = self.run(batch)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
        else:
            self.usage.tokens += sum(size.length for size in sizes)
            self.usage.padded_tokens += len(batch) * longest
            self.usage.batches += 1
            self.usage.largest_batch = max(self.usage.largest_batch, len(batch))
            return results
        # Outside of `except`, whose traceback would keep the tensors of the failed attempt alive.
        free_memory()
        self.usage.halvings += 1
        if len(batch) == 1:
            return [Failure("error", f"out of memory with one row of {longest} tokens", tokens=longest)]
        size = len(batch) * (longest + sizes[0].room)
        self.limit = self.limit.halved(len(batch), size, sum(size.scored for size in sizes))
        return None


def out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch found no memory; on a CPU it says so in the message only."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return any(words in message for words in ("out of memory", "can't allocate memory", "not enough memory"))


def free_memory() -> None:
    """Give memory that nothing uses any more back to the device."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def batch_limit(network: Any, batch: int | Literal["auto"], vocabulary: int) -> BatchLimit:
    """The limit to start with. `auto` depends on the machine and the model alone, so that runs can be repeated.

    On a GPU the activations of a layer, some 40 numbers per token and unit of width, may fill a quarter of the memory
    that the weights leave; scored positions (the vocabulary in float32, three times) another quarter. On a CPU small
    batches are as fast as large ones, and 8192 tokens keep the widest models within a few gigabytes.
    """
    if batch != "auto":
        return BatchLimit(rows=batch)
    parameter = next(network.parameters())
    if parameter.device.type != "cuda":
        return BatchLimit(tokens=8192, scored=max(1, (1 << 27) // vocabulary))
    import torch

    weights = sum(p.numel() * p.element_size() for p in network.parameters())
    free = max(torch.cuda.get_device_properties(parameter.device).total_memory - weights, 1 << 30)
    width = getattr(getattr(network.config, "text_config", None) or network.config, "hidden_size", 1024)
    tokens = free // 4 // (40 * width * parameter.element_size())
    return BatchLimit(
        tokens=int(min(max(tokens, 2048), 1 << 18)), scored=int(max(1, free // 4 // (12 * vocabulary)))
    )
