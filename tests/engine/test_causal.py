"""The causal backend as a whole: every request answered once, the same whatever stands beside it."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.engine import (
    ChooseRequest,
    Failure,
    GenerateRequest,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.causal import CausalBackend
from tiny import tiny_gpt2, tiny_llama, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
LLAMA = tiny_llama()
TEXTS = st.text(st.sampled_from("thewilm AB 小镇é\n 9🙂"), max_size=40)
REQUESTS = st.one_of(
    st.builds(ScoreRequest, TEXTS, TEXTS, st.booleans()),
    st.builds(
        ScoreRequest, st.sampled_from(["", "the town", "the town "]), st.sampled_from(["A", " B", " the"])
    ),
    st.builds(RollingRequest, TEXTS),
)


def answers(backend: CausalBackend, requests: list[Request]) -> list[Response]:
    found = list(backend.answer(requests))
    assert sorted(index for index, _ in found) == list(range(len(requests)))
    return [response for _, response in sorted(found, key=lambda pair: pair[0])]


def alike(one: Response, other: Response) -> None:
    assert type(one) is type(other)
    assert one.tokens == other.tokens
    match one, other:
        case (ScoreResponse(), ScoreResponse()):
            assert one.logprob == pytest.approx(other.logprob, abs=1e-5)
            assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-5)
            assert one.is_greedy == other.is_greedy
        case (RollingResponse(), RollingResponse()):
            assert one.logprob == pytest.approx(other.logprob, abs=1e-5 * max(1, one.tokens))
        case _:
            assert one == other


@settings(max_examples=40, deadline=None)
@given(st.lists(REQUESTS, max_size=12), st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_batch_size_change_nothing(requests: list[Request], random: Any, rows: int):
    """With a context of 16 tokens, so that many requests are cut, refused or rolled over several windows."""
    network = tiny_llama(max_position_embeddings=16)
    found = answers(CausalBackend(network, TOKENIZER), requests)
    order = list(range(len(requests)))
    random.shuffle(order)
    shuffled = answers(CausalBackend(network, TOKENIZER, batch=rows), [requests[index] for index in order])
    for place, index in enumerate(order):
        alike(shuffled[place], found[index])
    for request, response in zip(requests, found, strict=True):
        match response:
            case ScoreResponse(logprob, _, token_logprobs):
                assert logprob == pytest.approx(sum(token_logprobs))
                assert logprob <= 0
            case RollingResponse(_, tokens):
                assert isinstance(request, RollingRequest)
                assert tokens == len(TOKENIZER.encode(request.text))
            case _:
                assert isinstance(response, Failure)
                assert response.state == "skipped"


def test_the_same_requests_give_the_same_bits():
    requests: list[Request] = [
        ScoreRequest("the town " * n, f" {choice}") for n in range(9) for choice in "ABCD"
    ]
    requests += [
        RollingRequest("bread and letters " * 30),
        GenerateRequest("the town", ("\n",), 8, 0.7, seed=3),
    ]
    backend = CausalBackend(LLAMA, TOKENIZER)
    first = answers(backend, requests)
    assert answers(backend, requests) == first
    assert answers(CausalBackend(tiny_llama(), tiny_tokenizer()), requests) == first


def test_letter_choices_read_their_question_once():
    backend = CausalBackend(LLAMA, TOKENIZER)
    question = "Question: Where does Anna work? Answer:"
    answers(backend, [ScoreRequest(question, choice) for choice in "ABCD"])
    assert backend.facts()["tokens_run"] == len(TOKENIZER.encode(question))
    assert backend.facts()["largest_batch"] == 1


def test_tokens_asked_are_those_of_each_request_alone():
    backend = CausalBackend(LLAMA, TOKENIZER)
    found = answers(backend, [ScoreRequest("the town has", f" {choice}") for choice in "AB"])
    written = answers(backend, [GenerateRequest("the town", ("\n",), 4)])
    read = sum(response.tokens - 1 for response in found) + written[0].tokens
    assert backend.facts()["tokens_asked"] == read
    assert backend.facts()["tokens_run"] < read


def test_responses_come_as_soon_as_their_batch_is_done():
    """Requests that share nothing, each as long as a whole batch, so that later batches are left."""
    backend = CausalBackend(LLAMA, TOKENIZER, batch=1)
    words = ("bread", "letters", "town")
    stream = backend.answer([ScoreRequest(f"{word} " * 12, " A") for word in words])
    first, _ = next(stream)
    batches = backend.facts()["batches"]
    assert batches < 3
    assert {first} | {index for index, _ in stream} == {0, 1, 2}
    assert backend.facts()["batches"] > batches


def test_nan_weights_are_an_error_and_never_an_answer():
    network = tiny_gpt2()
    network.transformer.h[0].mlp.c_fc.weight.data[0, 0] = torch.nan
    backend = CausalBackend(network, TOKENIZER)
    for found in answers(backend, [ScoreRequest("the", " town"), RollingRequest("the town")]):
        assert isinstance(found, Failure)
        assert found.state == "error"
        assert found.reason.startswith("non_finite")
        assert found.tokens > 0


def test_what_is_not_finite_spoils_nothing_beside_it():
    network = tiny_llama(tie_word_embeddings=False)
    requests = [ScoreRequest("the town has", f" {word} and") for word in ("a", "bread", "letters", "Anna")]
    read = [TOKENIZER.encode(request.context + request.continuation)[:-1] for request in requests]
    bad = (set(read[1]) - set(read[0]) - set(read[2]) - set(read[3])).pop()
    network.model.embed_tokens.weight.data[bad] = torch.nan
    found = answers(CausalBackend(network, TOKENIZER), requests)
    assert [isinstance(response, Failure) for response in found] == [False, True, False, False]


def test_an_infinite_log_probability_is_an_error():
    network = tiny_llama()
    network.lm_head.register_forward_hook(
        lambda module, inputs, logits: logits.index_fill(-1, torch.tensor(5), -torch.inf)
    )
    backend = CausalBackend(network, TOKENIZER)
    bad, good = answers(backend, [ScoreRequest("the", TOKENIZER.decode([5])), ScoreRequest("the", " town")])
    assert isinstance(bad, Failure)
    assert "inf" in bad.reason
    assert isinstance(good, ScoreResponse)


def test_batches_are_halved_when_memory_runs_out():
    network = tiny_llama()
    requests: list[Request] = [ScoreRequest("the town " * (n % 7), f" bread {n}") for n in range(40)]
    plain = answers(CausalBackend(network, TOKENIZER), requests)
    forward = network.forward

    def limited(input_ids: torch.Tensor, **options: Any) -> Any:
        if input_ids.numel() > 30:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return forward(input_ids=input_ids, **options)

    network.forward = limited  # type: ignore[method-assign]
    backend = CausalBackend(network, TOKENIZER)
    for one, other in zip(answers(backend, requests), plain, strict=True):
        alike(one, other)
    facts = backend.facts()
    assert facts["batch_halvings"] >= 1
    assert facts["batch_tokens"] <= 30


def test_a_row_too_large_for_the_memory_is_an_error():
    network = tiny_llama()
    forward = network.forward

    def limited(input_ids: torch.Tensor, **options: Any) -> Any:
        if options["position_ids"].max() > 30:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate …")
        return forward(input_ids=input_ids, **options)

    backend = CausalBackend(network, TOKENIZER)
    network.forward = limited  # type: ignore[method-assign]
    long, rolled, short = answers(
        backend,
        [
            ScoreRequest("the town " * 20, " A"),
            RollingRequest("the town " * 20),
            ScoreRequest("the", " town"),
        ],
    )
    for found in (long, rolled):
        assert isinstance(found, Failure)
        assert found.state == "error"
        assert found.reason.startswith("out of memory after")
    assert isinstance(short, ScoreResponse)


def test_what_it_cannot_answer_is_skipped():
    backend = CausalBackend(LLAMA, TOKENIZER)
    found = answers(backend, [ChooseRequest("the town", ("A", "B")), ScoreRequest("the", " town")])
    assert found[0] == Failure("skipped", "a causal model cannot answer a ChooseRequest")
    assert isinstance(found[1], ScoreResponse)


def test_nothing_asked_and_nothing_to_say():
    backend = CausalBackend(LLAMA, TOKENIZER)
    assert answers(backend, []) == []
    assert answers(backend, [RollingRequest("")]) == [RollingResponse(0.0)]
    assert backend.count_tokens(["", "the"]) == [0, len(TOKENIZER.encode("the"))]


def test_a_network_in_training_mode_is_put_into_evaluation_mode():
    network = tiny_gpt2(resid_pdrop=0.5)
    backend = CausalBackend(network, TOKENIZER)
    first = answers(backend, [ScoreRequest("the", " town")])
    network.train()
    assert answers(backend, [ScoreRequest("the", " town")]) == first


def test_facts_name_what_answered():
    backend = CausalBackend(LLAMA, TOKENIZER, device="cpu")
    answers(backend, [ScoreRequest("the town " * n, " A") for n in (1, 4)])
    facts = backend.facts()
    assert facts["class"] == "LlamaForCausalLM"
    assert (facts["dtype"], facts["device"], facts["max_length"]) == ("float32", "cpu", 128)
    assert (facts["batch"], facts["batch_rows"], facts["batch_tokens"]) == ("auto", None, 2048)
    assert facts["tokens_run"] > 0
    assert facts["padding_share"] == 0
    assert facts["scoring"] == "tree"
    assert facts["seconds_answering"] > 0


@pytest.mark.parametrize(
    "config",
    [
        peft.LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", init_lora_weights=False),
        peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
        peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
    ],
    ids=lambda config: type(config).__name__,
)
def test_networks_wrapped_by_peft(config: Any):
    """Against plain calls of the wrapped network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = peft.get_peft_model(tiny_llama(), config).eval()
    backend = CausalBackend(network, TOKENIZER)
    assert backend.tokens.max_length == (128 if isinstance(config, peft.LoraConfig) else 123)
    requests = [ScoreRequest("the town " * n, " bread and letters") for n in (1, 4, 2)]
    for request, found in zip(requests, answers(backend, list(requests)), strict=True):
        assert isinstance(found, ScoreResponse)
        window = backend.tokens.windows([request])[0]
        tokens = torch.from_numpy(window.tokens).long()
        with torch.no_grad():
            logits = network(input_ids=tokens[None, :-1]).logits[0, -window.scored :]
        expected = logits.log_softmax(-1).gather(1, tokens[-window.scored :, None]).sum()
        assert found.logprob == pytest.approx(float(expected), abs=1e-4)

    prompts = [GenerateRequest("the town " * n, (), 6) for n in (1, 4)]
    for prompt, found in zip(prompts, answers(backend, list(prompts)), strict=True):
        given = torch.tensor([TOKENIZER.encode(prompt.context)])
        written = network.generate(input_ids=given, max_new_tokens=6, do_sample=False)[0, given.shape[1] :]
        assert found.text == TOKENIZER.decode(written, skip_special_tokens=True)
