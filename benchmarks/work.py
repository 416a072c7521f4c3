"""How much there is to compute: tokens that differ, and positions at which something is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shapes import Shape

from tianti.engine import GenerateRequest, ScoreRequest


@dataclass(frozen=True)
class Work:
    """What a shape comes down to.

    `distinct`: tokens that the network must read when no prefix is read twice, answers not counted.
    `apart`: the same when prefixes are not shared, and only requests that read the very same tokens are read once.
    `scored`: distinct positions whose distribution over the vocabulary is needed, answers not counted.
    `longest`: tokens of the longest request.
    `written`: tokens of each answer.
    """

    distinct: int
    apart: int
    scored: int
    longest: int
    written: tuple[int, ...] = ()

    @property
    def tokens(self) -> int:
        """Distinct tokens that the network reads: prompts, and answers but for the last token of each."""
        return self.distinct + sum(self.written) - len(self.written)

    @property
    def distributions(self) -> int:
        """Positions whose distribution is needed: the scored ones, and one for each token that is written."""
        return self.scored + max(0, sum(self.written) - len(self.written))


def count_work(shape: Shape, tokenizer: Any) -> Work:
    """What has to be computed for a shape, counted from its texts alone."""
    read = [_read(request, tokenizer) for request in shape.requests]
    rows = sorted(tokens for tokens, _ in read)
    shared = sum(_common(*pair) for pair in pairwise(rows))
    total = sum(len(row) for row in rows)
    apart = sum(len(row) for row in set(rows))
    scored = {row[: end + 1] for row, count in read for end in range(len(row) - count, len(row))}
    return Work(total - shared, apart, len(scored), max(len(row) for row in rows), shape.written)


def _read(request: ScoreRequest | GenerateRequest, tokenizer: Any) -> tuple[tuple[int, ...], int]:
    """The tokens that the network reads for a request, and how many of the last ones are scored."""
    before = tokenizer(request.context)["input_ids"]
    if isinstance(request, GenerateRequest):
        return tuple(before), 1
    whole = tokenizer(request.context + request.continuation)["input_ids"]
    return tuple(whole[:-1]), len(whole) - len(before)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """The length of the common prefix."""
    for place, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return place
    return min(len(one), len(other))
