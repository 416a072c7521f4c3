"""Greedy and sampled text, and where it ends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from scripted import Scripted, answer
from tianti.engine import Failure, GenerateRequest, GenerateResponse
from tianti.engine.causal import CausalBackend
from tiny import tiny_gpt2, tiny_llama, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
CONTEXTS = [
    "the town",
    "Question: Where does Anna work?",
    "A",
    "这部电影",
    "bread and letters in the old mill " * 3,
]


def written(text: str | list[int], *stop: str, max_tokens: int = 12) -> GenerateResponse:
    context = "the town"
    request = GenerateRequest(context, stop, max_tokens)
    found = answer(Scripted(context, text).network, request)[0]
    assert isinstance(found, GenerateResponse)
    return found


def test_text_ends_before_the_first_stop_string():
    found = written("in the mill\n\nQuestion: A", "\n\n", "Question")
    assert (found.text, found.truncated) == ("in the mill", False)


def test_a_stop_string_inside_a_token_cuts_it():
    assert written(" letters and more", "ers").text == " lett"


def test_stop_strings_cut_one_after_the_other():
    """lm-eval's way: "bc" goes first and takes the end of "ab" with it."""
    assert written("xabc", "bc", "ab").text == "x"
    assert written("xabc.", "c.", "bc").text == "xa"


def test_the_end_token_ends_the_text_and_is_no_part_of_it():
    found = written([*TOKENIZER.encode("in"), TOKENIZER.eos_token_id, *TOKENIZER.encode(" more")])
    assert (found.text, found.truncated) == ("in", False)
    assert found.tokens == len(TOKENIZER.encode("the town")) + len(TOKENIZER.encode("in")) + 1


def test_the_end_token_written_out_cuts_too():
    assert written("in</s> more").text == "in"


def test_a_stop_string_may_be_a_special_token():
    found = written([*TOKENIZER.encode("in"), 3, *TOKENIZER.encode(" more")], "<mask>")
    assert (found.text, found.truncated) == ("in", False)


def test_the_token_limit_truncates():
    found = written("in the mill by the river and the town and the shop", max_tokens=4)
    assert found.truncated
    assert found.tokens == len(TOKENIZER.encode("the town")) + 4
    whole = written("in the mill", max_tokens=len(TOKENIZER.encode("in the mill")))
    assert (whole.text, whole.truncated) == ("in the mill", True)


@pytest.mark.parametrize("network", [tiny_llama(), tiny_gpt2()], ids=["llama", "gpt2"])
def test_greedy_text_is_the_argmax_of_plain_forward_passes(network: Any):
    for context, found in zip(
        CONTEXTS, answer(network, *(GenerateRequest(c, (), 9) for c in CONTEXTS)), strict=True
    ):
        tokens = TOKENIZER.encode(context)
        start = len(tokens)
        while len(tokens) < start + 9 and (len(tokens) == start or tokens[-1] != TOKENIZER.eos_token_id):
            with torch.no_grad():
                tokens.append(int(network(torch.tensor([tokens])).logits[0, -1].argmax()))
        assert found.text == TOKENIZER.decode(tokens[start:], skip_special_tokens=True)


def test_neighbours_in_the_batch_change_nothing():
    requests = [
        GenerateRequest(context, ("\n",), max_tokens, temperature=temperature, top_p=0.9, seed=seed)
        for seed, context in enumerate(CONTEXTS)
        for max_tokens in (5, 9)
        for temperature in (0.0, 0.8)
    ]
    backend = CausalBackend(tiny_llama(), TOKENIZER)
    found = dict(backend.answer(requests))
    together = [found[index] for index in range(len(requests))]
    assert backend.facts()["largest_batch"] == len(requests)
    assert answer(tiny_llama(), *reversed(requests), batch=3)[::-1] == together
    assert [answer(tiny_llama(), request)[0] for request in requests] == together


def test_sampling_depends_on_the_seed_and_leaves_the_global_generator_alone():
    def draw(seed: int) -> str:
        request = GenerateRequest("the town", (), 12, temperature=1.5, seed=seed)
        text: str = answer(tiny_llama(), request)[0].text
        return text

    state = torch.random.get_rng_state()
    assert draw(1) == draw(1)
    assert len({draw(seed) for seed in range(6)}) > 3
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.6)])
def test_sampled_frequencies_are_the_model_s_probabilities(temperature: float, top_p: float):
    network = tiny_llama()
    context = "the town"
    with torch.no_grad():
        logits = network(torch.tensor([TOKENIZER.encode(context)])).logits[0, -1].double()
    expected = (logits / temperature).softmax(-1)
    order = expected.argsort(descending=True)
    kept = int((expected[order].cumsum(0) < top_p).sum()) + 1
    inside = torch.zeros_like(expected)
    inside[order[:kept]] = expected[order[:kept]] / expected[order[:kept]].sum()

    draws = 2000
    requests = [GenerateRequest(context, (), 1, temperature, top_p, seed=seed) for seed in range(draws)]
    counts = Counter(found.text for found in answer(network, *requests))
    texts = [TOKENIZER.decode([token], skip_special_tokens=True) for token in range(len(inside))]
    probability: Counter[str] = Counter()
    for text, share in zip(texts, inside.tolist(), strict=True):
        probability[text] += share  # type: ignore[assignment]
    assert all(probability[text] > 0 for text in counts)
    for text, share in probability.items():
        assert abs(counts[text] - draws * share) < 5 * (draws * share * (1 - share)) ** 0.5 + 1


def test_nan_weights_are_an_error():
    network = tiny_llama()
    network.lm_head.weight.data[7] = torch.nan
    sampled = GenerateRequest("the", (), 3, temperature=1.0)
    for found in answer(network, GenerateRequest("the town", (), 3), sampled):
        assert isinstance(found, Failure)
        assert found.state == "error"
        assert found.reason.startswith("non_finite")


def test_beam_search_is_refused():
    network = tiny_llama()
    network.generation_config.num_beams = 3
    found = answer(network, GenerateRequest("the town", (), 3))[0]
    assert isinstance(found, Failure)
    assert "beam" in found.reason


def test_a_repetition_penalty_of_the_model_is_kept():
    network = tiny_llama()
    plain = answer(network, GenerateRequest("the town", (), 16))[0].text
    network.generation_config.repetition_penalty = 50.0
    assert answer(network, GenerateRequest("the town", (), 16))[0].text != plain


def test_networks_that_read_padding_go_one_by_one():
    from transformers import RwkvConfig, RwkvForCausalLM

    config = RwkvConfig(vocab_size=420, hidden_size=32, attention_hidden_size=32, num_hidden_layers=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = RwkvForCausalLM(config)
    backend = CausalBackend(network.eval(), TOKENIZER)
    requests = [GenerateRequest(context, (), 5) for context in CONTEXTS]
    together = dict(backend.answer(requests))
    assert backend.facts()["largest_batch"] == 1
    for index, request in enumerate(requests):
        assert dict(backend.answer([request]))[0] == together[index]
