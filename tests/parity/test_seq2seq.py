"""Request by request, the numbers of lm-evaluation-harness's HF backend for encoder–decoder models."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.engine import Failure, GenerateRequest, GenerateResponse, ScoreRequest, ScoreResponse
from tianti.engine.seq2seq.backend import Seq2SeqBackend
from tiny import CORPUS, tiny_bart, tiny_t5, tiny_tokenizer, with_special_tokens

WORDS = [*" ".join(CORPUS).split(" "), "\n", "🙂"]
NETWORKS = {"t5": tiny_t5(), "bart": tiny_bart()}


def tokenizer_of(family: str) -> Any:
    """With the special tokens of the family around each text: T5 ends with one, BART has one on each side."""
    return with_special_tokens(tiny_tokenizer(), "" if family == "t5" else "<s>", "</s>")


TOKENIZERS = {family: tokenizer_of(family) for family in NETWORKS}


def text(draw: random.Random, most: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, most)))


def lm_eval_says(network: Any, tokenizer: Any, kind: str, arguments: list[Any], rows: int = 4) -> list[Any]:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=network, backend="seq2seq", tokenizer=tokenizer, batch_size=rows)
    instances = [Instance(request_type=kind, doc={}, arguments=these, idx=0) for these in arguments]  # type: ignore[arg-type]
    found: list[Any] = getattr(model, kind)(instances, disable_tqdm=True)
    return found


def we_say(network: Any, tokenizer: Any, requests: list[Any], path: str = "shared") -> list[Any]:
    backend = Seq2SeqBackend(network, tokenizer)
    assert backend.scorer.path == "shared"
    backend.scorer.path = path
    found = dict(backend.answer(requests))
    return [found[index] for index in range(len(requests))]


def check_scores(
    family: str, pairs: list[tuple[str, str]], tokenizer: Any = None, path: str = "shared"
) -> None:
    network, tokenizer = NETWORKS[family], tokenizer or TOKENIZERS[family]
    ours = we_say(network, tokenizer, [ScoreRequest(*pair, truncate=True) for pair in pairs], path)
    theirs = lm_eval_says(network, tokenizer, "loglikelihood", pairs)
    for pair, response, (logprob, is_greedy) in zip(pairs, ours, theirs, strict=True):
        assert isinstance(response, ScoreResponse), pair
        # What lm-eval sums in float32 we sum in float64.
        assert response.logprob == pytest.approx(logprob, abs=1e-4, rel=1e-6), pair
        assert response.is_greedy == is_greedy, pair
        assert sum(response.token_logprobs) == response.logprob


def pairs(draw: random.Random) -> list[tuple[str, str]]:
    """Odd ones first: empty contexts, spaces at the join, special tokens in the text, shared contexts, long ones."""
    question = text(draw, 20)
    found = [
        ("", "the town"),
        ("", " the"),
        ("", "</s>a town"),
        ("", "<s>a town"),
        (" ", "the"),
        ("\n\n", " the"),
    ]
    found += [
        ("</s>little", " town"),
        ("<s>little", " town"),
        ("the mill ", "town"),
        ("the mill\n\n", "town"),
    ]
    found += [("the lett", "ers are in the mill"), ("小", "镇"), ("the", "</s>")]
    found += [(question, f" {letter}") for letter in "ABCD"] + [(question, " the little town")] * 2
    found += [(question, " the little mill"), (question, " the little town is by the river")]
    found += [(text(draw, 30), " " + text(draw, 4)) for _ in range(16)]
    found += [(text(draw, 30) + " letters 小镇" * 60, " " + text(draw, 9)) for _ in range(4)]
    return found


@pytest.mark.parametrize("family", NETWORKS)
@pytest.mark.parametrize("path", ["shared", "full"])
def test_scores(family: str, path: str) -> None:
    check_scores(family, pairs(random.Random(family)), path=path)


@pytest.mark.parametrize("family", NETWORKS)
def test_a_tokenizer_that_adds_nothing(family: str) -> None:
    asked = [pair for pair in pairs(random.Random(1)) if pair[0].strip() or not pair[0]]
    check_scores(family, asked, tiny_tokenizer())


TEXTS = st.text(st.sampled_from("thewilm AB 小镇é\n 9🙂"), max_size=40)
ENDS = st.text(st.sampled_from("thewilm AB 小é\n 9🙂"), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "the town ", "a"]) | TEXTS, ENDS), min_size=1, max_size=8))
def test_odd_requests(asked: list[tuple[str, str]]) -> None:
    check_scores("t5", asked)
    check_scores("bart", asked)


@pytest.mark.parametrize("family", NETWORKS)
@pytest.mark.parametrize("stop", [(), ("e", "\n", "ow", "it", "th")])
def test_greedy_texts(family: str, stop: tuple[str, ...]) -> None:
    """lm-eval lets a text be as long as prompt and `max_gen_toks` together, the start token included."""
    draw = random.Random(family)
    network, tokenizer = NETWORKS[family], TOKENIZERS[family]
    contexts = [text(draw, 40) for _ in range(6)] + ["A", "</s>the town", " letters 小镇" * 60]
    lengths = [min(len(tokenizer.encode(context)), 128) for context in contexts]
    # What BART writes ends with a forced token, so the two must have the same room.
    room = 100 if family == "t5" else 128
    requests = [GenerateRequest(context, stop, room, truncate=True) for context in contexts]
    theirs = [
        lm_eval_says(
            network,
            tokenizer,
            "generate_until",
            [(context, {"until": list(stop), "max_gen_toks": room - length + 1, "do_sample": False})],
            rows=1,
        )[0]
        for context, length in zip(contexts, lengths, strict=True)
    ]
    for response, expected in zip(we_say(network, tokenizer, requests), theirs, strict=True):
        assert isinstance(response, GenerateResponse)
        assert response.text == expected


def test_what_lm_eval_stops_at() -> None:
    """A continuation without a token, or longer than the model reads, ends its run; here it is skipped."""
    empty, long = we_say(
        NETWORKS["t5"], TOKENIZERS["t5"], [ScoreRequest("a", ""), ScoreRequest("a", "the " * 200)]
    )
    assert isinstance(empty, Failure)
    assert "no token of its own" in empty.reason
    assert isinstance(long, Failure)
    assert "the model reads 128" in long.reason
