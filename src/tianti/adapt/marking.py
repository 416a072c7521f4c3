"""What answers for a network that marks the answer to a question in a passage."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tianti.adapt.token_answering import TokenBackend
from tianti.engine import Failure, Request, Response, SpanRequest, SpanResponse

MAX_ANSWER = 64
"""Tokens of an answer at most; longer spans are not looked at."""


class SpanBackend(TokenBackend):
    """Answers span requests with the span whose first and last token are most probable together."""

    request_types = frozenset({SpanRequest})

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked: dict[int, SpanRequest] = {}
        for index, request in enumerate(requests):
            if isinstance(request, SpanRequest):
                asked[index] = request
            else:
                yield index, Failure("skipped", f"a marker of spans cannot answer a {type(request).__name__}")
        texts = self.reader.pairs(
            [request.question for request in asked.values()], [request.passage for request in asked.values()]
        )
        order = list(asked.items())
        for place, result in self.outputs(texts, over="tokens"):
            index, request = order[place]
            if isinstance(result, Failure):
                yield index, result
                continue
            first, last, logprob = best_span(result.logprobs)
            offsets = texts[place].offsets
            start, end = _stripped(request.passage, int(offsets[first, 0]), int(offsets[last, 1]))
            yield index, SpanResponse(request.passage[start:end], start, end, logprob, tokens=result.tokens)

    def facts(self) -> Mapping[str, Any]:
        return {"backend": "span", **super().facts()}


def best_span(logprobs: NDArray[np.float64]) -> tuple[int, int, float]:
    """The first and last token of the span with the highest sum of both log-probabilities, and that sum.

    `logprobs` is [tokens, 2]; spans have at most MAX_ANSWER tokens. Of equals the shortest, then the first.
    """
    begins, ends = logprobs.T
    best = (0, 0, -math.inf)
    for length in range(min(MAX_ANSWER, len(begins))):
        sums = begins[: len(begins) - length] + ends[length:]
        first = int(sums.argmax())
        if sums[first] > best[2]:
            best = (first, first + length, float(sums[first]))
    return best


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the spaces at its ends, which some tokenizers count to their tokens."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - (len(part) - len(part.rstrip()))
