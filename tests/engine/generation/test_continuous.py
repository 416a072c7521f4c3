"""Continuous batching writes what transformers' own `generate` writes, whatever else is being written."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.engine import Failure, GenerateRequest
from tianti.engine.batches import BatchLimit
from tianti.engine.causal import CausalBackend
from tianti.engine.generation import session
from tianti.engine.generation.slot_reader import SlotReader
from tianti.engine.generation.transformers_generate import Generator
from tianti.engine.generation.writing import Prompt
from tianti.engine.tokens import CausalTokens
from tiny import tiny_gpt2, tiny_llama, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
VOCABULARY = 420
SHOTS = "Question: Where does Anna work? Answer: in the mill.\n\nQuestion: What does Ben read? Answer: letters.\n\n"
CONTEXTS = (
    SHOTS + "Question: Which one is right? Answer:",
    SHOTS + "Question: Which film is dull? Answer:",
    SHOTS + "Question: Which one is right? Answer:",
    SHOTS + "A",
    "Question: Where is the town? Answer:",
    "这部电影",
    "A",
    "bread and letters in the old mill " * 3,
)


def _tiny(family: str, **changes: Any) -> Any:
    sizes: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    config = getattr(transformers, f"{family}Config")(**sizes | changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = getattr(transformers, f"{family}ForCausalLM")(config)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(6)
    return network.eval()


FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: tiny_llama(num_key_value_heads=4),
    "llama-gqa": tiny_llama,
    "gpt2": tiny_gpt2,
    "mistral-window": lambda: _tiny("Mistral", sliding_window=9),
    "gemma2": lambda: _tiny("Gemma2", head_dim=8, sliding_window=11, attn_logit_softcapping=5.0),
    "gpt-oss-sinks": lambda: _tiny(
        "GptOss", head_dim=8, sliding_window=13, num_local_experts=4, num_experts_per_tok=2
    ),
}


@cache
def network(family: str) -> Any:
    return FAMILIES[family]()


def prompts(requests: Sequence[GenerateRequest]) -> list[Prompt]:
    tokens = CausalTokens(TOKENIZER, 128, VOCABULARY).prompts(requests)
    found = [
        Prompt(request, read)
        for request, read in zip(requests, tokens, strict=True)
        if not isinstance(read, Failure)
    ]
    assert len(found) == len(requests)
    return found


def backend(family: str, **how: Any) -> CausalBackend:
    return CausalBackend(network(family), TOKENIZER, **how)


def ask(made: CausalBackend, requests: Sequence[GenerateRequest]) -> list[Any]:
    found = list(made.answer(requests))
    assert sorted(index for index, _ in found) == list(range(len(requests)))
    assert made.facts()["generating"] == "continuous"
    return [response for _, response in sorted(found, key=lambda pair: pair[0])]


def transformers_says(family: str, requests: Sequence[GenerateRequest]) -> list[Any]:
    """One by one, so that no padding and no neighbour can matter."""
    generator = Generator(network(family), TOKENIZER)
    return [generator.generate([prompt])[0] for prompt in prompts(requests)]


def requests(*stop: str) -> list[GenerateRequest]:
    """Greedy ones of many lengths."""
    return [
        GenerateRequest(context, stop, 3 + 7 * place % 19, truncate=True)
        for place, context in enumerate(CONTEXTS)
    ]


every_family = pytest.mark.parametrize("family", FAMILIES)


@every_family
@pytest.mark.parametrize("stop", [(), ("e", "th", "\n")], ids=["to the limit", "stopped"])
def test_the_texts_of_transformers(family: str, stop: tuple[str, ...]):
    asked = requests(*stop)
    expected = transformers_says(family, asked)
    assert len({response.text for response in expected}) > 4
    assert ask(backend(family), asked) == expected


@every_family
@pytest.mark.parametrize("rows", [1, 3])
def test_more_prompts_than_slots(family: str, rows: int):
    asked = requests("e") * 2
    made = backend(family, batch=rows)
    assert ask(made, asked) == transformers_says(family, asked)
    assert made.facts()["largest_batch"] == rows


def test_a_small_cache_lets_texts_wait_and_come_back():
    asked = requests()
    made = backend("llama-gqa")
    made.limit = BatchLimit(tokens=24, cached=100)
    assert ask(made, asked) == transformers_says("llama-gqa", asked)
    assert made.facts()["batch_halvings"] == 0


def test_what_is_prepared_is_read_once():
    asked = [GenerateRequest(SHOTS + letter, (), 5) for letter in "ABCD"]
    shared = len(TOKENIZER.encode(SHOTS))
    made = backend("llama-gqa")
    made.prepare(asked[:2])
    before = made.usage.tokens
    assert before == shared
    first = ask(made, asked)
    # The last token of a prompt and all written ones but the last are read by the steps.
    assert made.usage.tokens - before == 4 * 5
    assert first == ask(made, asked) == transformers_says("llama-gqa", asked)


def test_equal_prompts_are_read_once():
    asked = [GenerateRequest(CONTEXTS[0], (), 6, temperature=1.0, seed=seed) for seed in range(9)]
    made = backend("llama-gqa", batch=4)
    found = ask(made, asked)
    assert made.usage.tokens <= len(TOKENIZER.encode(CONTEXTS[0])) + 9 * 6
    assert found == transformers_says("llama-gqa", asked)
    assert len({response.text for response in found}) > 4


def test_a_row_may_begin_as_a_copy_of_another():
    """Several lengths, so that copies are made into rows that nothing was written to before."""
    contexts = (CONTEXTS[7], "Question: Where is the town? Answer:")
    asked = [GenerateRequest(context, (), most) for most in (30, 2, 2, 30, 9, 2) for context in contexts]
    expected = transformers_says("llama-gqa", asked)
    for cached in range(60, 400, 20):
        made = backend("llama-gqa")
        made.limit = BatchLimit(cached=cached)
        assert ask(made, asked) == expected


@every_family
@pytest.mark.parametrize("limit", [BatchLimit(), BatchLimit(rows=3), BatchLimit(tokens=20, cached=200)])
def test_what_equal_prompts_share_is_kept_once(
    family: str, limit: BatchLimit, monkeypatch: pytest.MonkeyPatch
):
    """Behind a trunk that all prompts share, and in a window that may end within it."""
    monkeypatch.setattr(session, "WORTH_SHARING", 1)
    contexts = (CONTEXTS[0], CONTEXTS[1], SHOTS + "What does Ben read?")
    asked = [
        GenerateRequest(context, ("e",), 3 + 5 * seed, temperature=1.0, seed=seed, truncate=True)
        for seed in range(4)
        for context in contexts
    ]
    read: list[int] = []
    read_segment = SlotReader.read_segment
    monkeypatch.setattr(
        SlotReader,
        "read_segment",
        lambda *given: read.append(len(given[2])) or read_segment(*given),  # type: ignore[func-returns-value]
    )
    made = backend(family)
    made.limit = limit
    found = ask(made, asked)
    assert len(read) >= 1 + len(contexts)
    assert found[:9] == transformers_says(family, asked[:9])
    monkeypatch.setattr(session, "WORTH_SHARING", 10**9)
    assert found == ask(backend(family), asked)


def test_texts_come_as_they_end():
    asked = [GenerateRequest(CONTEXTS[0], (), most) for most in (9, 2, 5)]
    assert [index for index, _ in backend("llama-gqa").answer(asked)] == [1, 2, 0]


@every_family
def test_a_sampled_text_depends_on_its_request_alone(family: str):
    asked = [
        GenerateRequest(context, ("e",), 5 + seed, temperature=0.8, top_p=top_p, seed=seed, truncate=True)
        for seed, context in enumerate(CONTEXTS)
        for top_p in (0.7, 1.0)
    ]
    together = ask(backend(family), asked)
    assert [ask(backend(family), [request])[0] for request in asked[::5]] == together[::5]
    order = random.Random(1).sample(range(len(asked)), len(asked))
    shuffled = ask(backend(family, batch=3), [asked[place] for place in order])
    assert shuffled == [together[place] for place in order]
    assert transformers_says(family, asked[:4]) == together[:4]


class Small:
    """Memory for so many numbers in the rows of a layer, and for so many tokens in one pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: int, tokens: int) -> None:
        run = SlotReader._run
        self.refused = 0

        def limited(reader: Any, work: Any, read: torch.Tensor, *rest: Any) -> torch.Tensor:
            decoding = hasattr(work, "held")
            if len(read) > (rows if decoding else tokens):
                self.refused += 1
                raise RuntimeError("out of memory (a test)")
            return run(reader, work, read, *rest)

        self.start = lambda: monkeypatch.setattr(SlotReader, "_run", limited)


@pytest.mark.parametrize("worth_sharing", [1, 512])
@pytest.mark.parametrize("batch", ["auto", 8])
def test_less_memory_gives_the_same_texts(monkeypatch: pytest.MonkeyPatch, batch: Any, worth_sharing: int):
    monkeypatch.setattr(session, "WORTH_SHARING", worth_sharing)
    asked = requests("e") + [
        GenerateRequest(context, (), 9, temperature=1.0, seed=7) for context in CONTEXTS[:6]
    ]
    expected = ask(backend("llama-gqa"), asked)
    made = backend("llama-gqa", batch=batch)
    ask(made, asked[:1])
    small = Small(monkeypatch, rows=2, tokens=30)
    small.start()
    assert ask(made, asked) == expected
    assert made.facts()["batch_halvings"] == small.refused > 3
    refused = small.refused
    # What was learnt stays learnt.
    assert ask(made, asked) == expected
    assert small.refused == refused


def test_no_memory_for_one_text_is_its_failure(monkeypatch: pytest.MonkeyPatch):
    made = backend("llama-gqa")
    ask(made, requests()[:1])
    Small(monkeypatch, rows=0, tokens=1000).start()
    for response in ask(made, requests()[:3]):
        assert isinstance(response, Failure)
        assert response.reason.startswith("out of memory with one row")


def test_other_errors_are_raised(monkeypatch: pytest.MonkeyPatch):
    made = backend("llama-gqa")
    ask(made, requests()[:1])

    def broken(*_: Any) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(SlotReader, "_run", broken)
    with pytest.raises(RuntimeError, match="no such kernel"):
        ask(made, requests())


def test_a_text_that_is_not_finite_harms_no_other():
    """One token has no finite embedding; the row that held it goes on to others."""
    made = tiny_llama()
    made.model.embed_tokens.weight.data[TOKENIZER.encode("7")[0]] = torch.nan
    asked = [
        GenerateRequest(context, (), 6) for context in ("7" * 30, "the town", "7", "bread", "in the mill")
    ]
    for rows in (1, 2, 5):
        found = ask(CausalBackend(made, TOKENIZER, batch=rows), asked)
        assert [isinstance(response, Failure) for response in found] == [True, False, True, False, False]
        alone = [ask(CausalBackend(made, TOKENIZER), [request])[0] for request in asked]
        assert found == alone


def test_what_generation_config_asks_for_goes_through_transformers():
    for setting in ({"repetition_penalty": 2.0}, {"no_repeat_ngram_size": 2}, {"suppress_tokens": [5]}):
        made = tiny_llama()
        made.generation_config.update(**setting)
        answering = CausalBackend(made, TOKENIZER)
        dict(answering.answer(requests()))
        assert answering.facts()["generating"] == "transformers"


def test_a_network_that_reads_its_rows_wrongly_goes_through_transformers(monkeypatch: pytest.MonkeyPatch):
    decode = SlotReader.decode
    monkeypatch.setattr(SlotReader, "decode", lambda *given: decode(*given) + 1.0)
    made = backend("gpt2")
    expected = transformers_says("gpt2", requests())
    assert [response for _, response in sorted(made.answer(requests()))] == expected
    assert made.facts()["generating"] == "transformers"


WORDS = st.lists(st.sampled_from([*SHOTS.split(" "), "小镇", "🙂", "\n"]), min_size=1, max_size=20).map(
    " ".join
)
STOPS = st.lists(st.text(st.sampled_from("ethi \nan"), min_size=1, max_size=3), max_size=2).map(tuple)
REQUESTS = st.builds(
    GenerateRequest,
    WORDS,
    STOPS,
    st.integers(1, 12),
    st.sampled_from([0.0, 0.9]),
    st.sampled_from([0.6, 1.0]),
    st.integers(0, 9),
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(REQUESTS, min_size=1, max_size=9),
    st.sampled_from(["llama-gqa", "mistral-window"]),
    st.sampled_from([BatchLimit(), BatchLimit(rows=2), BatchLimit(tokens=20, cached=70)]),
    st.sampled_from([1, 30, 10**9]),
    st.integers(1, 3),
)
def test_any_requests(
    asked: list[GenerateRequest], family: str, limit: BatchLimit, worth_sharing: int, repeats: int
):
    made = backend(family)
    made.limit = limit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "WORTH_SHARING", worth_sharing)
        assert ask(made, asked * repeats) == transformers_says(family, asked) * repeats
