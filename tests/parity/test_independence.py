"""Answers depend on the request alone: not on its neighbours, their order, the size of batches or the threads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from typing import Literal

import pytest
import torch

from parity.families import FAMILIES, Family, build_once
from parity.harness import we_say
from parity.prompts import SHOTS, contexts, family_tokenizer, pairs, rolling_texts
from tianti.engine import (
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.causal import CausalBackend

ROUNDING = 3e-5
"""Of one token's log-probability: these weights are so large that a float32 rounding grows tenfold (most in Jamba)."""

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)

some_families = pytest.mark.parametrize(
    "family",
    [
        family
        for family in FAMILIES
        if family.name
        in ("gpt2", "mpt", "llama-gqa", "mistral-window", "gemma3", "mixtral", "mamba2", "jamba")
    ],
    ids=lambda family: family.name,
)


def requests() -> list[Request]:
    """All kinds in one list, as a study with many tasks asks them."""
    asked: list[Request] = [ScoreRequest(*pair, truncate=True) for pair in pairs()]
    asked += [RollingRequest(text) for text in rolling_texts()[:4]]
    asked += [
        GenerateRequest(context, ("\n\n", "th"), 8, truncate=True)
        for context in [*contexts()[:4], contexts()[6]]
    ]
    return asked


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def usual(family: Family) -> list[Response]:
    """The answers of a backend that sizes its batches itself, asked in the usual order."""
    return we_say(build_once(family), family_tokenizer(), requests())


def shuffled(family: Family, seed: int, batch: int | Literal["auto"]) -> list[Response]:
    """The answers, in the usual order, to requests asked in another."""
    order = list(range(len(requests())))
    random.Random(seed).shuffle(order)
    asked = requests()
    found = we_say(build_once(family), family_tokenizer(), [asked[place] for place in order], batch=batch)
    return [response for _, response in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]


def check_equal(found: Sequence[Response], expected: Sequence[Response]) -> None:
    """The same within rounding, and exactly the same decisions."""
    for request, one, other in zip(requests(), found, expected, strict=True):
        match one, other:
            case ScoreResponse(), ScoreResponse():
                assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=ROUNDING), request
                assert one.logprob == pytest.approx(other.logprob, abs=ROUNDING, rel=1e-6), request
                assert (one.is_greedy, one.tokens) == (other.is_greedy, other.tokens), request
            case RollingResponse(), RollingResponse():
                assert one.logprob == pytest.approx(other.logprob, abs=ROUNDING, rel=1e-6), request
                assert one.tokens == other.tokens, request
            case GenerateResponse(), GenerateResponse():
                assert one == other, request
            case _:
                pytest.fail(f"{request}: {one} and {other}")
    assert chosen(found) == chosen(expected)


def chosen(responses: Sequence[Response]) -> list[str]:
    """The likeliest continuation of each context that has several."""
    scored = [
        (request.context, request.continuation, response.logprob)
        for request, response in zip(requests(), responses, strict=True)
        if isinstance(request, ScoreRequest) and isinstance(response, ScoreResponse)
    ]
    groups = [list(group) for _, group in groupby(sorted(scored), key=lambda row: row[0])]
    return [max(group, key=lambda row: row[2])[1] for group in groups if len(group) > 1]


@every_family
def test_batches_and_order_change_nothing(family: Family):
    check_equal(shuffled(family, 2, 3), usual(family))


@some_families
def test_nor_do_batches_of_one(family: Family):
    found = we_say(build_once(family), family_tokenizer(), requests(), batch=1)
    check_equal(found, usual(family))
    check_equal(shuffled(family, 1, "auto"), usual(family))


@pytest.mark.parametrize("name", ["gpt2", "llama-gqa"])
def test_threads_change_nothing(name: str):
    """Few requests: where other work keeps the cores busy, two threads wait for each other at every step."""
    (family,) = (family for family in FAMILIES if family.name == name)
    places = [*range(0, 45, 4), -1]
    asked = requests()
    with threads(2):
        few = we_say(build_once(family), family_tokenizer(), [asked[place] for place in places])
    found = list(usual(family))
    for place, response in zip(places, few, strict=True):
        found[place] = response
    check_equal(found, usual(family))


@every_family
def test_preparation_and_pieces_change_nothing(family: Family):
    """As a run asks a few-shot task: what its questions begin with is prepared, then they come a few at a time."""
    asked = requests()
    places = [*range(8), *range(20, 30)]
    assert all(asked[place].context.startswith(SHOTS) for place in places)  # type: ignore[union-attr]
    backend = CausalBackend(build_once(family), family_tokenizer())
    backend.prepare([asked[place] for place in places])
    found = list(usual(family))
    # The last piece has nothing to do with what was prepared.
    for piece in (places[:5], places[5:], [*places[::3], 45, -9], [16, 17, -1]):
        for number, response in backend.answer([asked[place] for place in piece]):
            found[piece[number]] = response
    check_equal(found, usual(family))


@some_families
@pytest.mark.parametrize("place", [0, 21, 45, -9, -1])
def test_a_request_asked_by_itself_is_answered_as_among_others(family: Family, place: int):
    found = list(usual(family))
    found[place] = we_say(build_once(family), family_tokenizer(), [requests()[place]])[0]
    check_equal(found, usual(family))


@some_families
def test_a_backend_that_was_asked_before_answers_the_same(family: Family):
    """Bit for bit, and so are two equal requests at once."""
    backend = CausalBackend(build_once(family), family_tokenizer())
    first, again = (dict(backend.answer(requests())) for _ in range(2))
    assert again == first
    twice = dict(backend.answer([*requests(), *requests()]))
    assert all(twice[place] == twice[place + len(first)] for place in first)
