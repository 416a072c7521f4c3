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
    """What a batch may hold: `rows`, or, padding counted, `tokens` read at once and `scored` positions.

    `cached` takes the place of `tokens` when text is generated: tokens read and to be written, in all rows.
    """

    rows: int | None = None
    tokens: int = 2048
    scored: int = 1 << 20
    cached: int = 8192

    def below(self, rows: int, tokens: int, scored: int, cached: int) -> BatchLimit:
        """The limit after a batch of this size was too large: half of it."""
        if self.rows is not None:
            return BatchLimit(rows=max(1, rows // 2))
        halves = (
            max(1, min(limit, size) // 2)
            for limit, size in ((self.tokens, tokens), (self.scored, scored), (self.cached, cached))
        )
        return BatchLimit(None, *halves)


@dataclass
class Usage:
    """What answering took, summed over all batches."""

    limit: BatchLimit = field(default_factory=BatchLimit)
    """The limit of the latest batch."""
    seconds: float = 0.0
    planning_seconds: float = 0.0
    """The part of `seconds` that went into deciding what to read in which order."""
    asked_tokens: int = 0
    """Tokens that all requests would have had read, each on its own."""
    tokens: int = 0
    """Tokens that were read, padding not counted."""
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

    @contextmanager
    def timed_planning(self) -> Iterator[None]:
        """Count the time inside as time of answering, and of planning."""
        started = time.perf_counter()
        try:
            with self.timed():
                yield
        finally:
            self.planning_seconds += time.perf_counter() - started

    def read(self, tokens: int, padded: int, rows: int) -> None:
        """Count a batch: its tokens, padding counted too, and its rows."""
        self.tokens += tokens
        self.padded_tokens += padded
        self.batches += 1
        self.largest_batch = max(self.largest_batch, rows)

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
            "batch_cached_tokens": None if self.limit.rows else self.limit.cached,
            "seconds_answering": round(self.seconds, 3),
            "seconds_planning": round(self.planning_seconds, 3),
            **({"tokens_asked": self.asked_tokens} if self.asked_tokens else {}),
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
            if row.room != first.room or self._full(count, first, scored, padding):
                return count - 1
        return count

    def _full(self, rows: int, longest: Row, scored: int, padding: int) -> bool:
        if self.limit.rows is not None:
            return rows > self.limit.rows
        if longest.room:
            return rows * (longest.length + longest.room) > self.limit.cached
        tokens = rows * longest.length
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
            self.usage.read(sum(size.length for size in sizes), len(batch) * longest, len(batch))
            return results
        # Outside of `except`, whose traceback would keep the tensors of the failed attempt alive.
        free_memory()
        self.usage.halvings += 1
        if len(batch) == 1:
            return [Failure("error", f"out of memory with one row of {longest} tokens", tokens=longest)]
        self.limit = self.limit.below(
            rows=len(batch),
            tokens=len(batch) * longest,
            scored=sum(size.scored for size in sizes),
            cached=len(batch) * (longest + sizes[0].room),
        )
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
    """The limit to start with; `auto` goes by the memory that is free once the network is loaded.

    A quarter of it is for the activations of a layer (some 40 numbers per token and unit of width), another for the
    scored positions (the vocabulary in float32, three times); or half of it is for the cache of keys and values (twice
    the width in each layer, where all heads have their own). On a CPU larger batches than these bring nothing: there
    the memory matters only when it is scarce. All are powers of two, so that runs on the same machine mostly have the
    same batches, and with them the same numbers to the last bit.
    """
    if batch != "auto":
        return BatchLimit(rows=batch)
    parameter = next(network.parameters())
    on_cuda = parameter.device.type == "cuda"
    free = _free_memory(parameter.device)
    config = getattr(network.config, "text_config", None) or network.config
    column = (getattr(config, "hidden_size", None) or 1024) * parameter.element_size()
    layers = getattr(config, "num_hidden_layers", None) or 32
    usual = BatchLimit()
    most_scored = 1 << (30 if on_cuda else 27)
    return BatchLimit(
        tokens=_power_of_two(free // (4 * 40 * column), 64, 1 << 18 if on_cuda else usual.tokens),
        scored=_power_of_two(free // (4 * 12 * vocabulary), 1, max(1, most_scored // vocabulary)),
        cached=_power_of_two(free // (2 * 2 * layers * column), 2048, 1 << 20 if on_cuda else usual.cached),
    )


def _free_memory(device: Any) -> int:
    """Bytes that are free on a device."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def _power_of_two(number: int, least: int, most: int) -> int:
    """The largest power of two that is at most `number`, within bounds."""
    return min(max(1 << max(number.bit_length() - 1, 0), least), most)
