"""What answers for a network with a head."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from tianti.adapt.answering import ChoiceBackend, label_backend
from tianti.adapt.networks import PooledNetwork
from tianti.engine import ChooseRequest, ChooseResponse, Failure, ScoreRequest
from tiny import tiny_bert, tiny_tokenizer


def network(outputs: int) -> PooledNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PooledNetwork(tiny_bert(), outputs).train(False)


def ask(backend: Any, *requests: Any) -> list[Any]:
    found = dict(backend.answer(requests))
    return [found[index] for index in range(len(requests))]


def outputs_of(scorer: PooledNetwork, text: str) -> Any:
    ids = torch.tensor([tiny_tokenizer()(text)["input_ids"]])
    with torch.no_grad():
        return scorer(ids, torch.ones_like(ids))[0].double().numpy()


def test_labels() -> None:
    scorer = network(3)
    texts = ["This film is dull.", "Anna bakes bread in the old mill, and Ben reads letters."]
    for text, response in zip(
        texts,
        ask(
            label_backend(scorer, tiny_tokenizer(), "auto"),
            *(ChooseRequest(t, ("a", "b", "c")) for t in texts),
        ),
        strict=True,
    ):
        weights = np.exp(outputs_of(scorer, text))
        assert np.exp(response.logprobs) == pytest.approx(weights / weights.sum(), rel=1e-4)


@pytest.mark.parametrize("batch", ["auto", 1, 3])
def test_choices(batch: Any) -> None:
    scorer = network(1)
    asked = [
        ChooseRequest("Where is Anna?", ("mill", "town")),
        ChooseRequest("Who?", ("Ben", "Anna", "the river")),
    ]
    backend = ChoiceBackend(scorer, tiny_tokenizer(), batch)
    for request, response in zip(asked, ask(backend, *asked), strict=True):
        assert isinstance(response, ChooseResponse)
        weights = np.exp([outputs_of(scorer, f"{request.text} {choice}")[0] for choice in request.choices])
        assert np.exp(response.logprobs) == pytest.approx(weights / weights.sum(), rel=1e-4)
        assert response.tokens == sum(backend.count_tokens([f"{request.text} {c}" for c in request.choices]))
    assert backend.facts()["pooling"] == "mean"


def test_what_is_too_long_is_skipped_with_the_reason() -> None:
    long = ChooseRequest("word " * 200, ("a", "b"))
    for backend in (
        label_backend(network(2), tiny_tokenizer(), "auto"),
        ChoiceBackend(network(1), tiny_tokenizer(), 4),
    ):
        skipped, answered = ask(backend, long, ChooseRequest("short", ("a", "b")))
        assert isinstance(skipped, Failure)
        assert skipped.state == "skipped"
        assert "the model reads 128" in skipped.reason
        assert isinstance(answered, ChooseResponse)


def test_another_kind_of_request_is_no_answer() -> None:
    (failure,) = ask(ChoiceBackend(network(1), tiny_tokenizer(), "auto"), ScoreRequest("a", "b"))
    assert isinstance(failure, Failure)


def test_a_score_that_is_no_number_is_an_error() -> None:
    broken = network(1)
    with torch.no_grad():
        broken.head.bias.fill_(math.nan)
    (failure,) = ask(ChoiceBackend(broken, tiny_tokenizer(), "auto"), ChooseRequest("a", ("b", "c")))
    assert isinstance(failure, Failure)
    assert (failure.state, "non_finite" in failure.reason) == ("error", True)


def test_a_row_that_does_not_fit_into_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = network(1)

    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(scorer, "features", full)
    (failure,) = ask(ChoiceBackend(scorer, tiny_tokenizer(), "auto"), ChooseRequest("a", ("b", "c")))
    assert isinstance(failure, Failure)
    assert failure.state == "error"
