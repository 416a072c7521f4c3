"""The vLLM backend over a stand-in for vLLM: the numbers of the backend of transformers, and few requests."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_vllm import LLM, vllm
from tianti.core.exceptions import MissingExtraError
from tianti.engine import (
    ChooseRequest,
    Failure,
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
from tianti.engine.requests import Thinking
from tianti.engine.vllm import VllmBackend, start_vllm
from tiny import tiny_llama, tiny_tokenizer

__all__ = ["vllm"]

TOKENIZER = tiny_tokenizer()
LLAMA = tiny_llama()
SHORT = tiny_llama(max_position_embeddings=17)
CUT = tiny_llama(max_position_embeddings=16)
"""Reads as many tokens as vLLM reads with `SHORT`: one less than its positions. The weights are the same."""
TEXTS = st.text(st.sampled_from("thewilm AB 小镇é\n 9🙂"), max_size=40)
REQUESTS = st.one_of(
    st.builds(ScoreRequest, TEXTS, TEXTS, st.booleans()),
    st.builds(
        ScoreRequest, st.sampled_from(["", "the town", "the town "]), st.sampled_from(["A", " B", " the"])
    ),
    st.builds(RollingRequest, TEXTS),
    st.builds(GenerateRequest, TEXTS, st.sampled_from([(), ("e",), ("\n", "t")]), st.integers(1, 6)),
)


def answers(backend: Any, requests: list[Request]) -> list[Response]:
    found = list(backend.answer(requests))
    assert sorted(index for index, _ in found) == list(range(len(requests)))
    return [response for _, response in sorted(found, key=lambda pair: pair[0])]


def alike(one: Response, other: Response) -> None:
    assert type(one) is type(other)
    match one, other:
        case (ScoreResponse(), ScoreResponse()):
            assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-4)
            assert (one.is_greedy, one.tokens) == (other.is_greedy, other.tokens)
        case (RollingResponse(), RollingResponse()):
            assert one.logprob == pytest.approx(other.logprob, abs=1e-3)
            assert one.tokens == other.tokens
        case _:
            assert one == other


@pytest.mark.parametrize("stale", [False, True])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(REQUESTS, max_size=8))
def test_the_numbers_of_transformers(vllm: type[LLM], stale: bool, requests: list[Request]) -> None:
    backend = VllmBackend(vllm(SHORT, TOKENIZER, stale=stale), TOKENIZER)
    ours, theirs = answers(backend, requests), answers(CausalBackend(CUT, TOKENIZER), requests)
    for one, other in zip(ours, theirs, strict=True):
        alike(one, other)
    # What was read before is in the cache now.
    for one, other in zip(answers(backend, requests), theirs, strict=True):
        alike(one, other)


def test_letter_choices_are_one_request(vllm: type[LLM]) -> None:
    network = tiny_llama()
    llm = vllm(network, TOKENIZER)
    question = "Question: Where does Anna work? Answer:"
    with torch.no_grad():
        logits = network(input_ids=torch.tensor([TOKENIZER.encode(question)])).logits[0, -1]
    likely = [TOKENIZER.decode([token]) for token in logits.topk(300).indices.tolist()]
    letters = [text for text in likely if text.isascii() and text.isalpha() and len(text) == 1]
    rank = {text: likely.index(text) for text in letters}
    answers(VllmBackend(llm, TOKENIZER), [ScoreRequest(question, letter) for letter in letters])
    rare = [letter for letter in letters if rank[letter] >= 20]
    assert 0 < len(rare) < len(letters)
    assert len(llm.asked) == 1 + len(rare)
    assert llm.asked[0][1].prompt_logprobs is None
    assert all(asked.allowed_token_ids is not None for _, asked in llm.asked[1:])


def test_the_prefix_cache_is_read_unless_it_hides_what_is_scored(vllm: type[LLM]) -> None:
    llm = vllm(LLAMA, TOKENIZER)
    backend = VllmBackend(llm, TOKENIZER)
    question = "Question: Where does Anna work? Answer:"
    requests: list[Request] = [ScoreRequest(question, f" {place} by the river") for place in ("mill", "shop")]
    answers(backend, requests)
    assert [asked.skip_reading_prefix_cache for _, asked in llm.asked] == [False, False]
    length = len(TOKENIZER.encode(question + " mill by the river"))
    assert backend.facts()["tokens_run"] < 2 * length - 8
    answers(backend, requests)
    assert [asked.skip_reading_prefix_cache for _, asked in llm.asked[2:]] == [False, False, True, True]


def test_sampled_texts_are_repeatable(vllm: type[LLM]) -> None:
    requests: list[Request] = [GenerateRequest("the town", ("\n",), 8, 0.9, seed=seed) for seed in (1, 1, 2)]
    one, same, other = answers(VllmBackend(vllm(LLAMA, TOKENIZER), TOKENIZER), requests)
    assert isinstance(one, GenerateResponse)
    assert one == same
    assert one != other


def test_a_text_ends_at_the_end_tokens_of_the_model_too(vllm: type[LLM]) -> None:
    llm = vllm(LLAMA, TOKENIZER)
    request = GenerateRequest("the town", (), 12)
    (whole,) = answers(VllmBackend(llm, TOKENIZER), [request])
    assert isinstance(whole, GenerateResponse)
    assert whole.truncated
    network = tiny_llama()
    network.generation_config.eos_token_id = TOKENIZER.encode(whole.text[-1:])[-1:]
    llm.ends = tuple(network.generation_config.eos_token_id)
    (ended,) = answers(VllmBackend(llm, TOKENIZER), [request])
    assert [ended] == answers(CausalBackend(network, TOKENIZER), [request])


def test_what_cannot_be_asked(vllm: type[LLM]) -> None:
    backend = VllmBackend(vllm(SHORT, TOKENIZER), TOKENIZER)
    requests: list[Request] = [
        ChooseRequest("a", ("a", "b")),
        ScoreRequest("the town " * 20, " A"),
        GenerateRequest("a", max_tokens=2, thinking=Thinking(2)),
    ]
    choose, long, thought = answers(backend, requests)
    assert isinstance(thought, Failure)
    assert "thinking" in thought.reason
    assert isinstance(choose, Failure)
    assert "ChooseRequest" in choose.reason
    assert isinstance(long, Failure)
    assert "the model reads 16" in long.reason


def test_nan_is_an_error_and_never_an_answer(vllm: type[LLM]) -> None:
    network = tiny_llama()
    network.lm_head.weight.data[0, 0] = torch.nan
    backend = VllmBackend(vllm(network, TOKENIZER), TOKENIZER)
    for found in answers(backend, [ScoreRequest("the", " A"), RollingRequest("the town")]):
        assert isinstance(found, Failure)
        assert found.reason.startswith("non_finite")


def test_facts(vllm: type[LLM]) -> None:
    backend = VllmBackend(vllm(LLAMA, TOKENIZER), TOKENIZER, batch=8)
    assert backend.prepare([RollingRequest("the town")]) is None  # type: ignore[func-returns-value]
    facts = backend.facts()
    assert (facts["backend"], facts["version"], facts["batch"]) == ("vllm", "0.0.fake", 8)
    assert backend.count_tokens(["the town"]) == [len(TOKENIZER.encode("the town"))]


def test_starting_vllm(vllm: type[LLM], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LLM, "network", LLAMA)
    start_vllm("folder", dtype="bfloat16", batch=16)
    (options,) = LLM.started
    assert options["model"] == "folder"
    assert options["trust_remote_code"] is False
    assert options["load_format"] == "safetensors"
    assert options["enable_prefix_caching"] is True
    assert options["max_num_seqs"] == 16


def test_vllm_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tianti\[vllm\]'"):
        start_vllm("folder", dtype="auto", batch="auto")
