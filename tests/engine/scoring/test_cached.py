"""Scores by the network's own cache: those of each window read alone, in families whose attention stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from forests import prefixes
from parity.families import FAMILIES, build, build_once
from tianti.engine.batches import BatchLimit, Usage
from tianti.engine.causal import CausalBackend
from tianti.engine.requests import Failure, ScoreRequest
from tianti.engine.scoring import shared
from tianti.engine.scoring.cached import CachedReader, CachedScorer
from tianti.engine.scoring.logits import Head, Scored, look_up, plain_logits
from tianti.engine.tokens import Window
from tiny import tiny_llama, tiny_tokenizer

FAMILY = {family.name: family for family in FAMILIES}
WITH_A_CACHE = ("bloom", "mpt", "falcon-alibi", "falcon-mqa", "falcon-gqa", "gpt-j", "gpt-neo")
WITHOUT = ("mamba", "mamba2", "rwkv", "recurrent-gemma", "jamba", "falcon-h1", "zamba2", "qwen3-next", "lfm2")
HIDING = ("llama4-chunks", "mistral-window", "gemma3")

families = pytest.mark.parametrize("name", WITH_A_CACHE)
LIMITS = st.one_of(
    st.builds(
        BatchLimit,
        tokens=st.sampled_from((1, 7, 50, 2048)),
        scored=st.sampled_from((1, 3, 1000)),
        cached=st.sampled_from((1, 60, 8192)),
    ),
    st.builds(BatchLimit, rows=st.integers(1, 3)),
)


def window(tokens: Sequence[int], scored: int) -> Window:
    return Window(np.array(tokens, dtype=np.int32), scored)


QUESTIONS = (
    (5, 6, 7),
    (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
    (5, 6, 7, 8, 9, 10, 11, *range(40, 70)),
    (60,),
)
WINDOWS = st.lists(
    st.builds(
        lambda stem, rest, scored: window([*stem, *rest], 1 + scored % (len(stem) + len(rest) - 1)),
        st.sampled_from(QUESTIONS),
        st.lists(st.integers(100, 103), min_size=1, max_size=6),
        st.integers(0, 20),
    ),
    min_size=1,
    max_size=12,
)


@cache
def reader_of(name: str) -> CachedReader:
    network = build_once(FAMILY[name])
    reader = CachedReader(network, Head(network))
    assert reader.is_right()
    return reader


def scorer(name: str, limit: BatchLimit | None = None) -> CachedScorer:
    return CachedScorer(reader_of(name), limit or BatchLimit(), Usage())


def check(network: Any, windows: Sequence[Window], found: dict[int, Scored | Failure]) -> None:
    """Each window has its scores, equal to those of its tokens read alone."""
    assert sorted(found) == list(range(len(windows)))
    for number, asked in enumerate(windows):
        with torch.inference_mode():
            logits = plain_logits(network, asked.tokens[:-1])[-asked.scored :]
        expected, likeliest = look_up(logits, np.arange(asked.scored), asked.tokens[-asked.scored :])
        score = found[number]
        assert isinstance(score, Scored)
        assert score.logprobs == pytest.approx(expected.tolist(), abs=3e-5)
        assert score.is_greedy == likeliest.all()


def distinct(windows: Sequence[Window]) -> int:
    return len(prefixes([asked.tokens[:-1] for asked in windows]))


def answered(scorer: CachedScorer, windows: Sequence[Window]) -> dict[int, Scored | Failure]:
    pairs = list(scorer.score(windows))
    assert len(pairs) == len(windows)
    return dict(pairs)


@families
@settings(max_examples=12, deadline=None)
@given(windows=WINDOWS, limit=LIMITS)
def test_scores_are_those_of_each_window_alone(name: str, windows: list[Window], limit: BatchLimit):
    """Among them texts longer than the local attention of GPT-Neo reaches."""
    own = scorer(name, limit)
    check(build_once(FAMILY[name]), windows, answered(own, windows))
    assert own.usage.tokens == distinct(windows)
    assert own.usage.padded_tokens >= own.usage.tokens


@families
@settings(max_examples=6, deadline=None)
@given(prepared=WINDOWS, windows=WINDOWS, limit=LIMITS, later=st.integers(0, 12))
def test_a_trunk_changes_no_number(
    name: str, prepared: list[Window], windows: list[Window], limit: BatchLimit, later: int
):
    own = scorer(name, limit)
    own.prepare(prepared)
    trunk = own.trunk.tolist()
    assert own.usage.tokens == len(trunk)
    assert own.facts() == {"scoring": "cached", "trunk_tokens": len(trunk)}
    for asked in (prepared[later:], windows, prepared[:later]):
        check(build_once(FAMILY[name]), asked, answered(own, asked))


@families
def test_the_longest_texts_have_positions(name: str):
    """Rows that follow much beside rows that are long: padding stands where no row has a position."""
    long, short = list(range(100)), list(range(200, 205))
    rests = [(300, 1, 2), (301, 1), (*range(302, 402), 7), (*range(303, 418), 8)]
    windows = [
        window([*stem, *rest], 2) for stem, rest in zip((long, long, short, short), rests, strict=True)
    ]
    windows.append(window([*short, *range(295, 418)], 100))
    assert max(len(asked.tokens) for asked in windows) == 128
    network = build_once(FAMILY[name])
    own = scorer(name)
    check(network, windows, answered(own, windows))
    assert own.usage.tokens == distinct(windows)


def test_every_distinct_token_is_read_once_and_padding_is_counted():
    shots = list(range(30, 90))
    windows = [
        window([*shots, 7 * question, *[8] * (question % 3), 9, letter], 1)
        for question in range(9)
        for letter in (1, 2)
    ]
    own = scorer("bloom")
    own.prepare(windows)
    check(build_once(FAMILY["bloom"]), windows, answered(own, windows))
    assert own.usage.tokens == distinct(windows)
    assert (own.usage.batches, own.usage.largest_batch) == (2, 9)
    assert own.usage.padded_tokens == len(shots) + 9 * 4


def test_results_come_while_batches_are_left():
    windows = [window([number, *range(9)], 3) for number in range(20)]
    own = scorer("gpt-j", BatchLimit(tokens=20))
    stream = own.score(windows)
    next(stream)
    assert own.usage.batches == 1
    assert len(list(stream)) == 19


class Limited:
    """While entered, `network` finds no memory for more than so many numbers in its mask."""

    def __init__(self, network: Any, fits: int) -> None:
        self.network, self.forward, self.fits = network, network.forward, fits

    def __enter__(self) -> None:
        self.network.forward = self._limited

    def __exit__(self, *_: object) -> None:
        del self.network.forward

    def _limited(self, attention_mask: torch.Tensor, **given: Any) -> Any:
        if attention_mask.numel() > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return self.forward(attention_mask=attention_mask, **given)


@pytest.mark.parametrize("limit", [BatchLimit(), BatchLimit(rows=8)], ids=["auto", "rows"])
@pytest.mark.parametrize("prepared", [False, True])
def test_out_of_memory_halves_and_loses_nothing(limit: BatchLimit, prepared: bool):
    windows = [
        window([*range(20), question, 7, choice, choice], 2)
        for question in range(9)
        for choice in range(100, 104)
    ]
    own = scorer("bloom", limit)
    network = build_once(FAMILY["bloom"])
    with Limited(network, 60):
        if prepared:
            own.prepare(windows)
        found = answered(own, windows)
    check(network, windows, found)
    assert own.usage.tokens == distinct(windows)
    assert own.usage.halvings >= 1
    assert own.usage.largest_batch in (2, 3)


def test_memory_that_runs_out_while_targets_are_looked_up(monkeypatch: pytest.MonkeyPatch):
    def limited(logits: torch.Tensor, rows: Any, targets: Any) -> Any:
        if len(logits) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return look_up(logits, rows, targets)

    monkeypatch.setattr(shared, "look_up", limited)
    windows = [window([*range(9), *range(number, number + 12)], 10) for number in range(90, 99)]
    own = scorer("falcon-gqa")
    check(build_once(FAMILY["falcon-gqa"]), windows, answered(own, windows))
    assert own.usage.halvings >= 1
    assert own.usage.tokens == distinct(windows)


def test_a_text_that_never_fits_is_an_error_and_the_others_are_answered():
    windows = [
        window([*range(90), 1], 2),
        window([*range(20), 7], 3),
        window([*range(90), 2], 1),
        window([*range(15), 1, 1], 1),
    ]
    network = build_once(FAMILY["mpt"])
    own = scorer("mpt")
    with Limited(network, 50):
        own.prepare([windows[0], windows[2]])
        assert len(own.trunk) == 0
        found = answered(own, windows)
    for number in (0, 2):
        assert found.pop(number) == Failure("error", "out of memory with one row of 90 tokens", tokens=90)
    check(network, [windows[1], windows[3]], {0: found[1], 1: found[3]})
    check(network, windows, answered(own, windows))


def test_other_errors_are_not_taken_for_memory():
    network = build(FAMILY["bloom"])
    own = CachedScorer(CachedReader(network, Head(network)), BatchLimit(), Usage())
    network.forward = lambda **given: torch.zeros(2, 3) @ torch.zeros(2, 3)
    with pytest.raises(RuntimeError, match="shapes"):
        list(own.score([window([1, 2, 3], 1)]))


@pytest.mark.parametrize("name", WITHOUT)
def test_the_check_refuses_states_in_place_of_a_cache(name: str):
    network = build(FAMILY[name])
    assert not CachedReader(network, Head(network)).is_right()


@pytest.mark.parametrize("name", HIDING)
def test_the_check_refuses_what_hides_far_tokens(name: str):
    network = build_once(FAMILY[name])
    assert not CachedReader(network, Head(network)).is_right()


def test_the_check_refuses_a_network_that_forgets_its_cache():
    """Even where all answers are so much alike that the numbers would not show it."""
    network: Any = tiny_llama()
    for parameter in network.parameters():
        parameter.data.zero_()
    assert CachedReader(network, Head(network)).is_right()
    forward = network.forward
    network.forward = lambda past_key_values=None, **given: forward(**given)
    assert not CachedReader(network, Head(network)).is_right()


def test_networks_that_take_no_positions_count_them_in_the_mask():
    network: Any = build(FAMILY["bloom"])
    forward = network.forward

    def strict(
        input_ids: Any, attention_mask: Any, past_key_values: Any = None, use_cache: bool = True
    ) -> Any:
        return forward(
            input_ids=input_ids,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )

    network.forward = strict
    reader = CachedReader(network, Head(network))
    assert reader.is_right()
    assert not reader.positions


def test_a_network_that_counts_positions_from_the_length_of_its_cache_is_refused():
    """Without being told them, as a network that ignores `position_ids`."""
    network: Any = tiny_llama()
    forward = network.forward
    network.forward = lambda position_ids=None, **given: forward(**given)
    assert not CachedReader(network, Head(network)).is_right()


@pytest.mark.parametrize(
    ("name", "way"), [("llama", "tree"), ("bloom", "cached"), ("gpt-neo", "cached"), ("mamba", "plain")]
)
def test_the_backend_takes_the_fastest_way_that_is_right(name: str, way: str):
    assert CausalBackend(build_once(FAMILY[name]), tiny_tokenizer()).facts()["scoring"] == way


@pytest.mark.parametrize("name", ["llama-gqa", "gpt2", "deepseek-v3", "mixtral"])
def test_all_ways_give_the_same_numbers(name: str, monkeypatch: pytest.MonkeyPatch):
    requests = [
        ScoreRequest("Anna bakes bread " * times, f" in the {place}")
        for times in range(4)
        for place in ("mill", "shop")
    ]
    found = {}
    for way in ("tree", "cached", "plain"):
        monkeypatch.setattr(CausalBackend, "_ways", (way,))
        backend = CausalBackend(build_once(FAMILY[name]), tiny_tokenizer())
        assert backend.facts()["scoring"] == way
        answers = dict(backend.answer(requests))
        found[way] = [answers[number].logprob for number in range(len(requests))]  # type: ignore[union-attr]
    assert found["cached"] == pytest.approx(found["plain"], abs=1e-4)
    assert found["tree"] == pytest.approx(found["plain"], abs=1e-4)
