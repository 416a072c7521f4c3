"""The masked backend against a re-derivation of the pseudo-log-likelihood, one token at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.core.exceptions import IncompatibleError
from tianti.engine import (
    ChooseRequest,
    Failure,
    GenerateRequest,
    Request,
    Response,
    RollingRequest,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.masked.backend import MaskedBackend
from tiny import tiny_masked, tiny_tokenizer, with_special_tokens

TOKENIZER = with_special_tokens(tiny_tokenizer(), "<s>", "</s>")
NETWORKS = {
    "Bert": tiny_masked("Bert"),
    "Roberta": tiny_masked("Roberta", pad_token_id=1),
    "ModernBert": tiny_masked("ModernBert", cls_token_id=1, sep_token_id=2, bos_token_id=1, eos_token_id=2),
}
SHORT = tiny_masked("Roberta", pad_token_id=1, max_position_embeddings=18)
TEXTS = st.text(st.sampled_from("thewilm AB 小镇é\n 9🙂"), max_size=40)
REQUESTS = st.one_of(
    st.builds(ScoreRequest, TEXTS, TEXTS, st.booleans()),
    st.builds(
        ScoreRequest, st.sampled_from(["", "the town", "the town "]), st.sampled_from(["A", " B", " the"])
    ),
)
CONTEXTS = ("Question: Where does Anna work? Answer:", "the", "", "This film is wonderful, warm and funny.")
CONTINUATIONS = (" in the mill", " unspeakable", " A", " wonderfully, warmly", " the the", " 42 letters")


def answers(backend: MaskedBackend, requests: list[Request]) -> list[Response]:
    found = list(backend.answer(requests))
    assert sorted(index for index, _ in found) == list(range(len(requests)))
    return [response for _, response in sorted(found, key=lambda pair: pair[0])]


def naive(network: Any, context: str, continuation: str, *, by_word: bool) -> list[float]:
    """Each token masked in turn, in a pass of its own; a word starts where a token does with a space or a sign."""
    before = TOKENIZER.encode(context, add_special_tokens=False)
    after = TOKENIZER.encode(continuation, add_special_tokens=False)
    row = [1, *before, *after, 2]
    first = 1 + len(before)
    starts = [not TOKENIZER.decode([token])[0].isalnum() for token in after] + [True]
    logprobs = []
    for number, token in enumerate(after):
        end = number + 1 + starts[number + 1 :].index(True) if by_word else number + 1
        masked = torch.tensor([row])
        masked[0, first + number : first + end] = TOKENIZER.mask_token_id
        with torch.no_grad():
            logits = network(input_ids=masked).logits[0, first + number].double().numpy()
        logprobs.append(float(logits[token] - np.log(np.exp(logits - logits.max()).sum()) - logits.max()))
    return logprobs


@pytest.mark.parametrize("family", NETWORKS)
@pytest.mark.parametrize("by_word", [True, False])
def test_one_token_at_a_time(family: str, by_word: bool) -> None:
    network = NETWORKS[family]
    pairs = [(context, continuation) for context in CONTEXTS for continuation in CONTINUATIONS]
    backend = MaskedBackend(network, TOKENIZER, by_word=by_word)
    assert backend.facts()["logits"] == "gathered"
    for pair, response in zip(pairs, answers(backend, [ScoreRequest(*pair) for pair in pairs]), strict=True):
        assert isinstance(response, ScoreResponse)
        expected = naive(network, *pair, by_word=by_word)
        assert response.token_logprobs == pytest.approx(expected, abs=1e-4), pair
        assert response.logprob == pytest.approx(sum(expected), abs=1e-4)
        assert response.tokens == len(TOKENIZER.encode("".join(pair)))


def test_the_two_ways_differ_on_words_of_several_tokens_only() -> None:
    requests: list[Request] = [ScoreRequest("the", " unspeakable"), ScoreRequest("the", " the")]
    long, short = answers(MaskedBackend(NETWORKS["Bert"], TOKENIZER), requests)
    long_alone, short_alone = answers(MaskedBackend(NETWORKS["Bert"], TOKENIZER, by_word=False), requests)
    assert isinstance(long, ScoreResponse)
    assert isinstance(long_alone, ScoreResponse)
    # The last piece of a word has nothing after it.
    assert long.token_logprobs[-1] == pytest.approx(long_alone.token_logprobs[-1], abs=1e-5)
    assert long.token_logprobs[0] != pytest.approx(long_alone.token_logprobs[0], abs=1e-3)
    assert short == short_alone


def test_a_chinese_character_is_a_word() -> None:
    """The tokenizer makes one word of a whole sentence; the pieces of one character still belong together."""
    backend = MaskedBackend(NETWORKS["Bert"], TOKENIZER)
    text = backend.tokens.texts([ScoreRequest("", "小镇在河边。 the")])[0]
    assert not isinstance(text, Failure)
    words: dict[Any, int] = {}
    for word in text.words:
        words[word] = words.get(word, 0) + 1
    assert len(words) == 7
    assert sum(words.values()) == len(TOKENIZER.encode("小镇在河边。 the")) - 2


@settings(max_examples=30, deadline=None)
@given(st.lists(REQUESTS, max_size=8), st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_batch_size_change_nothing(requests: list[Request], random: Any, rows: int) -> None:
    """With a context of 16 tokens, so that many requests are cut or refused."""
    found = answers(MaskedBackend(SHORT, TOKENIZER), requests)
    order = list(range(len(requests)))
    random.shuffle(order)
    backend = MaskedBackend(SHORT, TOKENIZER, batch=rows)
    for index, other in zip(order, answers(backend, [requests[index] for index in order]), strict=True):
        one = found[index]
        if isinstance(one, ScoreResponse):
            assert isinstance(other, ScoreResponse)
            assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-5)
            assert (one.is_greedy, one.tokens) == (other.is_greedy, other.tokens)
        else:
            assert one == other
            assert isinstance(one, Failure)
            assert one.state == "skipped"


def test_choices_of_one_token_share_their_row() -> None:
    backend = MaskedBackend(NETWORKS["Bert"], TOKENIZER)
    question = "Question: Where does Anna work? Answer:"
    answers(backend, [ScoreRequest(question, letter) for letter in "ABCD"])
    assert backend.facts()["tokens_run"] == len(TOKENIZER.encode(question + "A"))


def test_a_context_loses_its_first_tokens_and_never_the_special_ones() -> None:
    backend = MaskedBackend(SHORT, TOKENIZER)
    assert backend.tokens.max_length == 16
    context = "the " * 20 + "little town"
    kept = "".join(TOKENIZER.decode([token]) for token in TOKENIZER.encode(context)[-14:-1])
    cut, short, long = answers(
        backend,
        [
            ScoreRequest(context, " the", truncate=True),
            ScoreRequest(kept, " the"),
            ScoreRequest(context, " the"),
        ],
    )
    assert isinstance(cut, ScoreResponse)
    assert isinstance(short, ScoreResponse)
    assert cut.tokens == 16
    assert cut.token_logprobs == pytest.approx(short.token_logprobs, abs=1e-5)
    assert isinstance(long, Failure)
    assert "the model reads 16" in long.reason


def test_what_cannot_be_asked() -> None:
    backend = MaskedBackend(SHORT, TOKENIZER)
    asked: list[Request] = [
        RollingRequest("the town"),
        GenerateRequest("the town"),
        ChooseRequest("the town", ("a", "b")),
        ScoreRequest("the town", ""),
        ScoreRequest("a", " the" * 20, truncate=True),
    ]
    words = [
        "no perplexity",
        "GenerateRequest",
        "ChooseRequest",
        "no token of its own",
        "continuation of 20 tokens",
    ]
    for response, word in zip(answers(backend, asked), words, strict=True):
        assert isinstance(response, Failure)
        assert response.state == "skipped"
        assert word in response.reason


def test_a_tokenizer_without_a_mask_token() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.mask_token = None
    with pytest.raises(IncompatibleError, match="no mask token"):
        MaskedBackend(NETWORKS["Bert"], tokenizer)


def test_a_network_that_reads_its_padding_gets_none() -> None:
    """FNet mixes all positions by a Fourier transform, which no mask holds back."""
    network = tiny_masked("FNet", tpu_short_seq_length=128)
    backend = MaskedBackend(network, TOKENIZER)
    requests: list[Request] = [ScoreRequest(context, " in the mill") for context in CONTEXTS]
    together = answers(backend, requests)
    assert not backend.can_pad
    assert backend.facts()["padding_share"] == 0
    for request, response in zip(requests, together, strict=True):
        assert answers(MaskedBackend(network, TOKENIZER), [request]) == [response]


def test_a_head_that_cannot_be_gathered_for() -> None:
    network = tiny_masked("Bert")
    network.get_output_embeddings = lambda: None  # type: ignore[method-assign]
    backend = MaskedBackend(network, TOKENIZER)
    assert backend.facts()["logits"] == "full"
    pair = CONTEXTS[0], CONTINUATIONS[0]
    (response,) = answers(backend, [ScoreRequest(*pair)])
    assert isinstance(response, ScoreResponse)
    assert response.token_logprobs == pytest.approx(naive(network, *pair, by_word=True), abs=1e-4)


def test_nan_weights_are_an_error_and_never_an_answer() -> None:
    network = tiny_masked("Bert")
    network.bert.encoder.layer[0].output.dense.weight.data[0, 0] = torch.nan
    (found,) = answers(MaskedBackend(network, TOKENIZER), [ScoreRequest("the", " town")])
    assert isinstance(found, Failure)
    assert found.state == "error"
    assert found.reason.startswith("non_finite")


def test_a_token_outside_the_vocabulary() -> None:
    (bad,) = answers(
        MaskedBackend(tiny_masked(vocab_size=300), TOKENIZER), [ScoreRequest("A", TOKENIZER.decode([419]))]
    )
    assert isinstance(bad, Failure)
    assert "outside the model's vocabulary of 300" in bad.reason
    assert bad.state == "error"


def test_nothing_is_kept_between_calls() -> None:
    backend = MaskedBackend(NETWORKS["Bert"], TOKENIZER)
    assert backend.prepare([ScoreRequest("the town", " A")]) is None  # type: ignore[func-returns-value]
    assert backend.count_tokens(["the town", ""]) == [len(TOKENIZER.encode("the town")), 2]
