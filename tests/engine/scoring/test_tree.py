"""Scores by the prefix tree: those of each window read alone, whatever is cut where."""

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
from tianti.engine.batches import BatchLimit, Usage
from tianti.engine.requests import Failure
from tianti.engine.scoring.logits import Head, Scored, look_up, plain_logits
from tianti.engine.scoring.tree import TreeReader, TreeScorer
from tianti.engine.tokens import Window
from tiny import tiny_gpt2, tiny_llama


@cache
def mistral() -> Any:
    """A Llama whose tokens see five tokens back."""
    from transformers import MistralConfig, MistralForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = MistralConfig(
            vocab_size=420,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            sliding_window=5,
        )
        network = MistralForCausalLM(config)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(4)
    return network.eval()


LLAMA, GPT2 = tiny_llama(), tiny_gpt2()
networks = pytest.mark.parametrize(
    "network", [LLAMA, GPT2, mistral()], ids=["llama", "gpt2", "mistral-window"]
)


def window(tokens: Sequence[int], scored: int) -> Window:
    return Window(np.array(tokens, dtype=np.int32), scored)


QUESTIONS = (
    (5, 6, 7),
    (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
    (5, 6, 7, 8, 9, 10, 11, 40, 41, 42),
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
LIMITS = st.one_of(
    st.builds(BatchLimit, tokens=st.sampled_from((1, 7, 50)), scored=st.sampled_from((1, 3, 1000))),
    st.builds(BatchLimit, rows=st.integers(1, 3)),
)


def scorer(network: Any, limit: BatchLimit | None = None) -> TreeScorer:
    return TreeScorer(TreeReader(network, Head(network)), limit or BatchLimit(), Usage())


def check(network: Any, windows: Sequence[Window], found: dict[int, Scored | Failure]) -> None:
    """Each window has its scores, equal to those of its tokens read alone."""
    assert sorted(found) == list(range(len(windows)))
    for number, asked in enumerate(windows):
        with torch.inference_mode():
            logits = plain_logits(network, asked.tokens[:-1])[-asked.scored :]
        expected, likeliest = look_up(logits, np.arange(asked.scored), asked.tokens[-asked.scored :])
        score = found[number]
        assert isinstance(score, Scored)
        assert score.logprobs == pytest.approx(expected.tolist(), abs=2e-5)
        assert score.is_greedy == likeliest.all()


def distinct(windows: Sequence[Window]) -> int:
    return len(prefixes([asked.tokens[:-1] for asked in windows]))


def answered(scorer: TreeScorer, windows: Sequence[Window]) -> dict[int, Scored | Failure]:
    pairs = list(scorer.score(windows))
    assert len(pairs) == len(windows)
    return dict(pairs)


@networks
@settings(max_examples=25, deadline=None)
@given(windows=WINDOWS, limit=LIMITS)
def test_scores_are_those_of_each_window_alone(network: Any, windows: list[Window], limit: BatchLimit):
    own = scorer(network, limit)
    check(network, windows, answered(own, windows))
    assert own.usage.tokens == own.usage.padded_tokens == distinct(windows)
    if limit.rows is None:
        assert own.usage.batches >= -(-own.usage.tokens // limit.tokens)


@networks
@settings(max_examples=15, deadline=None)
@given(prepared=WINDOWS, windows=WINDOWS, limit=LIMITS, later=st.integers(0, 12))
def test_a_trunk_changes_no_number(
    network: Any, prepared: list[Window], windows: list[Window], limit: BatchLimit, later: int
):
    """Windows that follow it, that do not, that are scored on it, in several calls."""
    own = scorer(network, limit)
    own.prepare(prepared)
    trunk = own.trunk.tolist()
    assert own.usage.tokens == len(trunk)
    assert own.facts()["trunk_tokens"] == len(trunk)
    for asked in (prepared[later:], windows, prepared[:later]):
        before = own.usage.tokens
        check(network, asked, answered(own, asked))
        follow = [row for row in asked if trunk and row.tokens[: len(trunk)].tolist() == trunk]
        follow = [row for row in follow if len(row.tokens) - 1 - row.scored >= len(trunk)]
        others = [row for row in asked if not any(row is other for other in follow)]
        expected = (distinct(follow) - len(trunk) if follow else 0) + (distinct(others) if others else 0)
        assert own.usage.tokens - before == expected


def test_the_trunk_is_what_all_begin_with_before_any_is_scored():
    own = scorer(LLAMA)
    own.prepare([window([5, 6, 7, 8, 9, 10], 1), window([5, 6, 7, 8, 9, 11], 2), window([5, 6, 7, 8, 20], 1)])
    assert own.trunk.tolist() == [5, 6, 7]
    own.prepare([window([5, 6, 7], 1)])
    assert own.trunk.tolist() == []
    assert own.trunk_stack.length == 0
    own.prepare([window([5, 6, 7], 1), window([9, 6, 7], 1)])
    assert own.trunk.tolist() == []
    own.prepare([])
    assert answered(own, []) == {}


def test_every_distinct_token_is_read_once():
    shots = list(range(30, 90))
    windows = [window([*shots, 7 * question, 8, letter], 1) for question in range(9) for letter in (1, 2, 3)]
    own = scorer(LLAMA, BatchLimit(tokens=13))
    own.prepare(windows)
    check(LLAMA, windows, answered(own, windows))
    assert own.usage.tokens == len(shots) + 9 * 2 == distinct(windows)


def test_results_come_while_steps_are_left():
    windows = [window([number, *range(9)], 3) for number in range(20)]
    own = scorer(LLAMA, BatchLimit(tokens=10))
    stream = own.score(windows)
    next(stream)
    assert own.usage.batches <= 2
    assert len(list(stream)) == 19


class Limited:
    """While entered, `network` finds no memory for more than so many tokens at once, or for texts of so many."""

    def __init__(self, network: Any, tokens: int = 10**6, text: int = 10**6) -> None:
        self.network, self.forward = network, network.forward
        self.tokens, self.text = tokens, text

    def __enter__(self) -> None:
        self.network.forward = self._limited

    def __exit__(self, *_: object) -> None:
        self.network.forward = self.forward

    def _limited(self, input_ids: torch.Tensor, position_ids: torch.Tensor, **given: Any) -> Any:
        if input_ids.numel() > self.tokens or int(position_ids.max()) >= self.text:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return self.forward(input_ids=input_ids, position_ids=position_ids, **given)


@settings(max_examples=15, deadline=None)
@given(windows=WINDOWS, fits=st.integers(16, 40), prepared=st.booleans())
def test_out_of_memory_halves_and_loses_nothing(windows: list[Window], fits: int, prepared: bool):
    network = tiny_llama()
    own = scorer(network)
    with Limited(network, tokens=fits):
        if prepared:
            own.prepare(windows)
        found = answered(own, windows)
    check(network, windows, found)
    assert own.usage.tokens == distinct(windows)
    assert own.usage.halvings > 0 or own.usage.batches <= 2


def test_memory_that_runs_out_where_nothing_is_scored_leaves_what_is_scored_at_once():
    """A question of which a single token is scored says nothing of how many logits fit."""
    network = tiny_llama()
    own = scorer(network)
    windows = [window(range(100), 1), window([7] * 60, 59)]
    with Limited(network, tokens=40):
        found = answered(own, windows)
    check(network, windows, found)
    assert own.usage.halvings <= 2
    assert own.usage.batches <= 10


def test_memory_that_runs_out_while_targets_are_looked_up(monkeypatch: pytest.MonkeyPatch):
    from tianti.engine.scoring import shared

    def limited(logits: torch.Tensor, rows: Any, targets: Any) -> Any:
        if len(logits) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return look_up(logits, rows, targets)

    monkeypatch.setattr(shared, "look_up", limited)
    windows = [window([*range(50), *range(number, 90)], 30) for number in range(9)]
    own = scorer(LLAMA)
    check(LLAMA, windows, answered(own, windows))
    assert own.usage.halvings >= 1
    assert own.usage.tokens == distinct(windows)


def test_a_text_that_never_fits_is_an_error_and_the_others_are_answered():
    network = tiny_llama()
    windows = [
        window([*range(90), 1], 2),
        window([*range(20), 7], 3),
        window([*range(90), 2], 1),
        window([*range(15), 1, 1], 1),
    ]
    for prepare in (False, True):
        own = scorer(network)
        with Limited(network, text=50):
            if prepare:
                own.prepare(windows)
                assert len(own.trunk) == 15
            found = answered(own, windows)
        for number in (0, 2):
            failure = found.pop(number)
            assert isinstance(failure, Failure)
            assert failure.state == "error"
            assert failure.reason.startswith("out of memory after")
            assert 20 < failure.tokens <= 90
        check(network, [windows[1], windows[3]], {0: found[1], 1: found[3]})
        check(network, windows, answered(own, windows))


def test_a_trunk_that_never_fits_is_given_up():
    network = tiny_llama()
    own = scorer(network)
    windows = [window([*range(90), letter], 1) for letter in (1, 2)]
    with Limited(network, text=50):
        own.prepare(windows)
        assert all(isinstance(found, Failure) for found in answered(own, windows).values())
    assert own.trunk.tolist() == []
    check(network, windows, answered(own, windows))


def test_other_errors_are_not_taken_for_memory():
    network = tiny_llama()
    own = scorer(network)
    network.forward = lambda **given: torch.zeros(2, 3) @ torch.zeros(2, 3)  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="shapes"):
        list(own.score([window([1, 2, 3], 1)]))


@networks
def test_the_check_accepts_what_it_reads_rightly(network: Any):
    assert TreeReader(network, Head(network)).is_right()


@pytest.mark.parametrize(
    ("family", "sizes"),
    [
        ("Bloom", {"n_layer": 2, "n_head": 4}),
        ("Mamba", {"state_size": 4, "num_hidden_layers": 2}),
        ("Falcon", {"alibi": True, "num_hidden_layers": 2, "num_attention_heads": 4}),
        (
            "GPTNeo",
            {
                "num_layers": 2,
                "num_heads": 4,
                "attention_types": [[["global", "local"], 1]],
                "window_size": 4,
            },
        ),
    ],
)
def test_the_check_refuses_what_it_does_not(family: str, sizes: dict[str, Any]):
    import transformers

    config = getattr(transformers, f"{family}Config")(vocab_size=420, hidden_size=32, **sizes)
    network = transformers.AutoModelForCausalLM.from_config(config).eval()
    assert not TreeReader(network, Head(network)).is_right()


def test_the_check_refuses_a_network_whose_head_mixes_positions():
    network = tiny_llama()
    forward = network.forward
    network.forward = lambda **given: _mixed(forward(**given))  # type: ignore[method-assign]
    assert not TreeReader(network, Head(network)).is_right()


def _mixed(output: Any) -> Any:
    output.logits = output.logits.cumsum(1)
    return output


def test_the_check_refuses_windows_that_attention_is_not_told_of():
    """Texts of ten tokens would not show a window of sixteen."""
    network = tiny_llama()
    network.config.sliding_window = 16
    assert not TreeReader(network, Head(network)).is_right()
    network.config.use_sliding_window = False
    assert TreeReader(network, Head(network)).is_right()
    network.config.attention_chunk_size = 16
    assert not TreeReader(network, Head(network)).is_right()


def test_windows_that_read_the_same_are_read_once():
    windows = [window([1, 2, 3, 4], 1), window([1, 2, 3, 5], 3), window([1, 2, 3, 4], 1)]
    own = scorer(LLAMA)
    check(LLAMA, windows, answered(own, windows))
    assert own.usage.tokens == 3


def test_the_check_needs_no_large_vocabulary():
    network = tiny_llama(vocab_size=7)
    assert TreeReader(network, Head(network)).is_right()
