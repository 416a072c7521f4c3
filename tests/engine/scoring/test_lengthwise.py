"""Where frequencies depend on how much is read at once, each window has the numbers that it has alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from parity.families import FAMILIES, LONGROPE, build_once
from tianti.engine import GenerateRequest
from tianti.engine.causal import CausalBackend
from tianti.engine.requests import ScoreRequest
from tianti.engine.scoring.lengthwise import LengthwiseScorer, frequencies_change_after
from tianti.engine.scoring.logits import Scored, look_up, plain_logits
from tianti.engine.tokens import Window
from tiny import tiny_tokenizer

NETWORK = build_once(LONGROPE)


def window(tokens: Sequence[int], scored: int) -> Window:
    return Window(np.array(tokens, dtype=np.int32), scored)


def windows() -> list[Window]:
    """Beginnings of one text, read up to and beyond 48 tokens, among them those of exactly 48 and 49."""
    text = [(7 * place) % 420 for place in range(120)]
    found = [window(text[:length], 3) for length in (10, 30, 48, 49, 50, 51, 80, 120)]
    return found + [window([*text[:47], letter], 1) for letter in (1, 2)] + [window([5, *text], 40)]


def backend(monkeypatch: pytest.MonkeyPatch, way: str, **how: Any) -> CausalBackend:
    monkeypatch.setattr(CausalBackend, "_ways", (way,))
    return CausalBackend(NETWORK, tiny_tokenizer(), **how)


@pytest.mark.parametrize("way", ["tree", "cached", "plain"])
@pytest.mark.parametrize("batch", ["auto", 1, 3])
@pytest.mark.parametrize("prepared", [False, True])
def test_scores_are_those_of_each_window_alone(
    way: str, batch: Any, prepared: bool, monkeypatch: pytest.MonkeyPatch
):
    scorer = backend(monkeypatch, way, batch=batch).scorer
    asked = windows()
    random.Random(3).shuffle(asked)
    if prepared:
        scorer.prepare(asked)
    found = dict(scorer.score(asked))
    assert sorted(found) == list(range(len(asked)))
    for number, own in enumerate(asked):
        with torch.inference_mode():
            logits = plain_logits(NETWORK, own.tokens[:-1])[-own.scored :]
        expected, _ = look_up(logits, np.arange(own.scored), own.tokens[-own.scored :])
        score = found[number]
        assert isinstance(score, Scored)
        assert score.logprobs == pytest.approx(expected.tolist(), abs=2e-5)


def test_only_long_windows_are_read_by_themselves(monkeypatch: pytest.MonkeyPatch):
    own = backend(monkeypatch, "tree")
    assert isinstance(own.scorer, LengthwiseScorer)
    short = [asked for asked in windows() if len(asked.tokens) - 1 <= 48]
    assert max(len(asked.tokens) for asked in short) == 49
    list(own.scorer.score(short))
    assert own.usage.tokens == 48
    long = [asked for asked in windows() if len(asked.tokens) - 1 > 48]
    list(own.scorer.score(long))
    assert own.usage.tokens == 48 + sum(len(asked.tokens) - 1 for asked in long)
    assert list(own.scorer.score([])) == []
    facts = own.facts()
    assert (facts["scoring"], facts["frequencies_change_after"]) == ("tree", [48])


def test_texts_are_written_as_by_each_prompt_alone(monkeypatch: pytest.MonkeyPatch):
    """Among them one that grows beyond the length while it is written."""
    own = backend(monkeypatch, "tree")
    prompts = [GenerateRequest("the town " * times, (), 8) for times in (3, 14, 35)]
    lengths = [len(tiny_tokenizer().encode(prompt.context)) for prompt in prompts]
    assert lengths[0] + 8 < 48
    assert lengths[1] < 48 < lengths[1] + 8 < lengths[2]
    together = dict(own.answer(prompts))
    for number, prompt in enumerate(prompts):
        assert together[number] == dict(own.answer([prompt]))[0]


def test_scores_at_the_length_itself_change():
    """Or the tests above would say nothing: one more token changes what the first ones say."""
    with torch.inference_mode():
        tokens = np.arange(49, dtype=np.int32)
        short, long = plain_logits(NETWORK, tokens[:48]), plain_logits(NETWORK, tokens)
    assert (short - long[:48]).abs().max() > 1e-2


def test_lengths_are_found_where_a_config_says_them():
    def network(**rope: Any) -> Any:
        part = SimpleNamespace(config=SimpleNamespace(rope_parameters=rope))
        return SimpleNamespace(modules=lambda: [part, SimpleNamespace()])

    longrope = {"rope_type": "longrope", "original_max_position_embeddings": 4096}
    assert frequencies_change_after(network(**longrope), 131_072) == [4096]
    assert frequencies_change_after(network(**longrope), 4096) == []
    layers = {"full_attention": longrope, "sliding_attention": {"rope_type": "default"}}
    assert frequencies_change_after(network(**layers), 8192) == [4096]
    assert frequencies_change_after(network(rope_type="dynamic", factor=2.0), 8192) == []
    for family in FAMILIES:
        assert frequencies_change_after(build_once(family), 128) == []


def test_groups_of_several_lengths_are_read_apart():
    calls: list[tuple[str, list[int]]] = []

    def recording(name: str) -> Any:
        def score(asked: Sequence[Window]) -> list[tuple[int, Scored]]:
            calls.append((name, [len(own.tokens) - 1 for own in asked]))
            return [(number, Scored([float(len(own.tokens))], False)) for number, own in enumerate(asked)][
                ::-1
            ]

        return SimpleNamespace(
            score=score, prepare=lambda asked: calls.append(("trunk of " + name, [len(asked)]))
        )

    scorer = LengthwiseScorer(recording("short"), recording("long"), [10, 20])
    asked = [window(range(length + 1), 1) for length in (25, 10, 11, 20, 21, 3)]
    scorer.prepare(asked)
    found = dict(scorer.score(asked))
    assert calls == [("trunk of short", [2]), ("short", [10, 3]), ("long", [11, 20]), ("long", [25, 21])]
    assert {number: score.logprobs for number, score in found.items()} == {  # type: ignore[union-attr]
        number: [float(len(own.tokens))] for number, own in enumerate(asked)
    }


def test_a_request_is_answered_among_short_ones_as_alone(monkeypatch: pytest.MonkeyPatch):
    own = backend(monkeypatch, "tree")
    requests = [ScoreRequest("the town " * times, " in the mill", truncate=True) for times in range(1, 60, 4)]
    together = dict(own.answer(requests))
    for number, request in enumerate(requests):
        alone = dict(own.answer([request]))[0]
        assert together[number].logprob == pytest.approx(alone.logprob, abs=2e-5)  # type: ignore[union-attr]
