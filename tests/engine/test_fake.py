"""The backend without a model."""

from __future__ import annotations

import math

from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    Request,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.fake import FakeBackend

REQUESTS: list[Request] = [
    ScoreRequest("the town", " A"),
    ScoreRequest("the town", " B"),
    RollingRequest("the town"),
    GenerateRequest("the town"),
    GenerateRequest("elsewhere"),
    ChooseRequest("the town", ("A", "B", "C")),
]


def test_answers_depend_on_the_request_alone():
    backend = FakeBackend({"the town": "lies by the river"}, default_reply="?")
    found = dict(backend.answer(REQUESTS))
    assert dict(FakeBackend({"the town": "lies by the river"}, "?").answer(REQUESTS[::-1])) == {
        len(REQUESTS) - 1 - index: response for index, response in found.items()
    }
    one, other = found[0], found[1]
    assert isinstance(one, ScoreResponse)
    assert isinstance(other, ScoreResponse)
    assert one.logprob != other.logprob
    assert one.logprob < 0
    assert isinstance(found[2], RollingResponse)
    assert found[3] == GenerateResponse("lies by the river", tokens=1)
    assert found[4] == GenerateResponse("?", tokens=1)
    chosen = found[5]
    assert isinstance(chosen, ChooseResponse)
    assert math.isclose(sum(map(math.exp, chosen.logprobs)), 1)
    assert backend.requests_answered == len(REQUESTS)
    assert backend.count_tokens(["the town", ""]) == [2, 0]
    assert backend.facts() == {"backend": "fake"}
