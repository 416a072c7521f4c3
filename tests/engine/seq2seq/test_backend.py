"""The encoder–decoder backend as a whole: contexts encoded once, the same numbers whatever stands beside a request."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.engine import (
    ChooseRequest,
    Failure,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.requests import Thinking
from tianti.engine.seq2seq.backend import Seq2SeqBackend
from tiny import tiny_bart, tiny_t5, tiny_tokenizer, with_special_tokens

TOKENIZER = with_special_tokens(tiny_tokenizer(), after="</s>")
NETWORKS = {"t5": tiny_t5(), "bart": tiny_bart()}
SHORT = {"t5": tiny_t5(n_positions=16), "bart": tiny_bart(max_position_embeddings=16)}
TEXTS = st.text(st.sampled_from("thewilm AB 小镇é\n 9🙂"), max_size=40)
REQUESTS = st.one_of(
    st.builds(ScoreRequest, TEXTS, TEXTS, st.booleans()),
    st.builds(
        ScoreRequest, st.sampled_from(["", "the town", "the town "]), st.sampled_from(["A", " B", " the"])
    ),
)


def answers(backend: Seq2SeqBackend, requests: list[Request]) -> list[Response]:
    found = list(backend.answer(requests))
    assert sorted(index for index, _ in found) == list(range(len(requests)))
    return [response for _, response in sorted(found, key=lambda pair: pair[0])]


def alike(one: Response, other: Response) -> None:
    if not isinstance(one, ScoreResponse):
        assert one == other
        return
    assert isinstance(other, ScoreResponse)
    assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-5)
    assert (one.is_greedy, one.tokens) == (other.is_greedy, other.tokens)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["t5", "bart"]),
    st.lists(REQUESTS, max_size=12),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
def test_order_and_batch_size_change_nothing(
    family: str, requests: list[Request], random: Any, rows: int
) -> None:
    """With contexts of 16 tokens, so that many requests are cut or refused."""
    found = answers(Seq2SeqBackend(SHORT[family], TOKENIZER), requests)
    order = list(range(len(requests)))
    random.shuffle(order)
    backend = Seq2SeqBackend(SHORT[family], TOKENIZER, batch=rows)
    shuffled = answers(backend, [requests[index] for index in order])
    for place, index in enumerate(order):
        alike(shuffled[place], found[index])


@pytest.mark.parametrize("family", NETWORKS)
def test_a_context_is_encoded_once(family: str) -> None:
    network = NETWORKS[family]
    backend = Seq2SeqBackend(network, TOKENIZER)
    read: list[int] = []
    hook = network.get_encoder().register_forward_hook(
        lambda module, inputs, options, output: read.append(options["input_ids"].numel()), with_kwargs=True
    )
    try:
        question = "Question: Where does Anna work? Answer:"
        choices = [" A", " B", " the mill", " the little town", " the shop by the river"]
        answers(backend, [ScoreRequest(question, choice) for choice in choices])
        length = len(TOKENIZER.encode(question))
        assert read == [length]
        assert backend.facts()["tokens_run"] == length
        answers(backend, [GenerateRequest(question, ("\n",), 4, 0.7, seed=seed) for seed in range(5)])
        # The generator checks once whether it can pad: three calls of its own come before.
        assert read[-1] == length
    finally:
        hook.remove()


@pytest.mark.parametrize("family", NETWORKS)
def test_continuations_in_several_turns(family: str) -> None:
    """Where few positions may be held at once, the continuations of a context are read in turns."""
    requests: list[Request] = [
        ScoreRequest("the town by the river " * many, f" bread and {word}")
        for many in (1, 3) for word in ("letters", "a mill", "the shop in the town", "x")
    ]  # fmt: skip
    plain = answers(Seq2SeqBackend(NETWORKS[family], TOKENIZER), requests)
    backend = Seq2SeqBackend(NETWORKS[family], TOKENIZER)
    backend.scorer.cached = lambda: 40
    for one, other in zip(answers(backend, requests), plain, strict=True):
        alike(one, other)


@pytest.mark.parametrize("family", NETWORKS)
def test_plain_calls_where_sharing_is_wrong(family: str) -> None:
    """A decoder that reads its cache wrongly is found out, and its plain call is what counts."""
    network = {"t5": tiny_t5, "bart": tiny_bart}[family]()
    requests: list[Request] = [ScoreRequest("the town", f" {word}") for word in ("bread", "A", "little mill")]
    plain = answers(Seq2SeqBackend(network, TOKENIZER), requests)
    forward = network.forward

    def forgetful(**options: Any) -> Any:
        if options.get("past_key_values") is not None:
            options["past_key_values"] = None
        return forward(**options)

    network.forward = forgetful  # type: ignore[method-assign]
    backend = Seq2SeqBackend(network, TOKENIZER)
    assert backend.facts()["contexts"] == "full"
    for one, other in zip(answers(backend, requests), plain, strict=True):
        alike(one, other)


@pytest.mark.parametrize("family", NETWORKS)
def test_sampled_texts_depend_on_their_seed_alone(family: str) -> None:
    requests: list[Request] = [
        GenerateRequest(context, ("\n",), 12, 0.9, 0.95, seed)
        for seed in (0, 1) for context in ("the town", "bread and letters are in the little shop")
    ]  # fmt: skip
    backend = Seq2SeqBackend(NETWORKS[family], TOKENIZER)
    together = answers(backend, requests)
    alone = [
        answers(Seq2SeqBackend(NETWORKS[family], TOKENIZER, batch=1), [request])[0] for request in requests
    ]
    assert together == alone
    assert len({response.text for response in together if isinstance(response, GenerateResponse)}) > 2


def test_what_cannot_be_asked() -> None:
    backend = Seq2SeqBackend(NETWORKS["bart"], TOKENIZER)
    asked: list[Request] = [
        RollingRequest("the town"),
        ChooseRequest("the town", ("a", "b")),
        ScoreRequest("the town " * 100, " A"),
        GenerateRequest("the town " * 100, max_tokens=4),
        GenerateRequest("the town", max_tokens=129),
        GenerateRequest("the town", max_tokens=0),
        GenerateRequest("the town", max_tokens=4, thinking=Thinking(4)),
    ]
    words = [
        "whole text",
        "ChooseRequest",
        "context of 302 tokens, the model reads 128",
        "context of 303 tokens, the model reads 128",
        "129 tokens to generate, the model writes 128",
        "0 tokens to generate",
        "not asked to think",
    ]
    for response, word in zip(answers(backend, asked), words, strict=True):
        assert isinstance(response, Failure)
        assert response.state == "skipped"
        assert word in response.reason


def test_t5_has_no_table_of_positions_that_would_end_its_text() -> None:
    backend = Seq2SeqBackend(SHORT["t5"], TOKENIZER)
    (response,) = answers(backend, [GenerateRequest("the town", (), 40)])
    assert isinstance(response, GenerateResponse)


def test_a_token_outside_the_vocabulary() -> None:
    backend = Seq2SeqBackend(tiny_t5(vocab_size=300), TOKENIZER)
    high = TOKENIZER.decode([419])
    bad, good = answers(backend, [ScoreRequest("A", high), ScoreRequest("A", "B")])
    assert isinstance(bad, Failure)
    assert "outside the model's vocabulary of 300" in bad.reason
    assert isinstance(good, ScoreResponse)


def test_nan_weights_are_an_error_and_never_an_answer() -> None:
    network = tiny_t5()
    network.lm_head.weight.data[0, 0] = torch.nan
    backend = Seq2SeqBackend(network, TOKENIZER)
    for found in answers(backend, [ScoreRequest("the", " town"), GenerateRequest("the", (), 4)]):
        assert isinstance(found, Failure)
        assert found.state == "error"
        assert found.reason.startswith("non_finite")


def test_batches_are_halved_when_memory_runs_out() -> None:
    network = tiny_t5()
    requests: list[Request] = [ScoreRequest(f"the town {n}" * (n % 5 + 1), f" bread {n}") for n in range(20)]
    plain = answers(Seq2SeqBackend(network, TOKENIZER), requests)
    encoder = network.get_encoder()
    forward = encoder.forward

    def limited(input_ids: torch.Tensor, **options: Any) -> Any:
        if input_ids.shape[0] > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return forward(input_ids=input_ids, **options)

    encoder.forward = limited
    backend = Seq2SeqBackend(network, TOKENIZER)
    for one, other in zip(answers(backend, requests), plain, strict=True):
        alike(one, other)
    assert backend.facts()["batch_halvings"] > 0


def test_beams_are_not_made() -> None:
    network = tiny_bart()
    network.generation_config.num_beams = 4
    (response,) = answers(Seq2SeqBackend(network, TOKENIZER), [GenerateRequest("the town", (), 4)])
    assert isinstance(response, Failure)
    assert "beam" in response.reason


def test_nothing_is_kept_between_calls() -> None:
    backend = Seq2SeqBackend(NETWORKS["t5"], TOKENIZER)
    assert backend.prepare([ScoreRequest("the town", " A")]) is None  # type: ignore[func-returns-value]
    assert backend.facts()["batches"] == 0
