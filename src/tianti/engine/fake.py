"""A backend without a model: answers by a fixed rule, for tests and dry runs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tianti.engine.requests import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
    SpanRequest,
    SpanResponse,
    TagRequest,
    TagResponse,
)


class FakeBackend:
    """Log-probabilities from a hash of the request: repeatable, without meaning.

    `replies` maps a generation context to its text; what is not there answers `default_reply`.
    """

    request_types = frozenset(
        {ScoreRequest, RollingRequest, GenerateRequest, ChooseRequest, TagRequest, SpanRequest}
    )

    def __init__(self, replies: Mapping[str, str] | None = None, default_reply: str = "") -> None:
        self.replies = dict(replies or {})
        self.default_reply = default_reply
        self.requests_answered = 0

    def prepare(self, requests: Sequence[Request]) -> None:
        """Requests have nothing in common that could be computed once."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        for index, request in enumerate(requests):
            self.requests_answered += 1
            yield index, self._answer(request)

    def _answer(self, request: Request) -> Response:
        match request:
            case ScoreRequest(context, continuation):
                logprob = -10 * _fraction(context, continuation)
                return ScoreResponse(logprob, is_greedy=logprob > -1, token_logprobs=(logprob,), tokens=1)
            case RollingRequest(text):
                return RollingResponse(-float(len(text)), tokens=len(text.split()))
            case GenerateRequest(context):
                return GenerateResponse(self.replies.get(context, self.default_reply), tokens=1)
            case ChooseRequest(text, choices):
                weights = [_fraction(text, choice) for choice in choices]
                return ChooseResponse(tuple(math.log(weight / sum(weights)) for weight in weights), tokens=1)
            case TagRequest(text, words, labels):
                places = [int(_fraction(text, str(word)) * len(labels)) for word in words]
                return TagResponse(tuple(labels[place] for place in places), tokens=1)
            case SpanRequest(question, passage):
                start, length = (
                    int(_fraction(part, question, passage) * len(passage)) for part in ("start", "length")
                )
                end = min(len(passage), start + 1 + length)
                return SpanResponse(passage[start:end], start, end, -1.0, tokens=1)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def facts(self) -> Mapping[str, Any]:
        return {"backend": "fake"}


def _fraction(*parts: str) -> float:
    """A number in (0, 1) that depends on the parts alone."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return (int.from_bytes(digest[:6], "big") + 1) / (2**48 + 2)
