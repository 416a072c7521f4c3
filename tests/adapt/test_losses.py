"""The losses, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.adapt.losses import answer_loss, choice_loss
from tianti.adapt.networks import PooledNetwork
from tianti.adapt.samples import Labelled
from tianti.engine.tokens import Window
from tiny import tiny_bert, tiny_gpt2, tiny_llama

NETWORKS = {"llama": tiny_llama(), "gpt2": tiny_gpt2()}


def log_softmax(scores: Any) -> Any:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def window(length: int, scored: int, seed: int) -> Window:
    return Window(np.random.default_rng(seed).integers(4, 400, length), scored)


shapes = st.integers(2, 12).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(1, n - 1), st.integers(0, 99))
)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(NETWORKS)), st.lists(shapes, min_size=1, max_size=4))
def test_answer_loss_is_the_sum_over_answer_tokens_alone(name: str, rows: list[tuple[int, int, int]]) -> None:
    network = NETWORKS[name]
    batch = [window(*row) for row in rows]
    expected = 0.0
    for one in batch:
        with torch.no_grad():
            logits = network(input_ids=torch.from_numpy(one.tokens[None, :-1])).logits[0].double().numpy()
        logprobs = log_softmax(logits)
        places = range(len(one.tokens) - 1 - one.scored, len(one.tokens) - 1)
        expected -= sum(logprobs[place, one.tokens[place + 1]] for place in places)
    with torch.no_grad():
        loss, count = answer_loss(network, batch)
    assert count == sum(one.scored for one in batch)
    assert float(loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_of_the_output_layer_is_softmax_minus_target(name: str) -> None:
    """d loss / d logits = softmax − one-hot at answer positions and 0 elsewhere; times the hidden states."""
    network = {"llama": tiny_llama, "gpt2": tiny_gpt2}[name](tie_word_embeddings=False)
    batch = [window(9, 3, 0), window(6, 1, 1)]
    loss, _ = answer_loss(network, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    expected = np.zeros(network.lm_head.weight.shape)
    for one in batch:
        ids = torch.from_numpy(one.tokens[None, :-1])
        with torch.no_grad():
            hidden = network.base_model(input_ids=ids).last_hidden_state[0].double().numpy()
            logits = network(input_ids=ids).logits[0].double().numpy()
        for place in range(len(hidden) - one.scored, len(hidden)):
            error = np.exp(log_softmax(logits[place]))
            error[one.tokens[place + 1]] -= 1
            expected += np.outer(error, hidden[place])
    assert np.allclose(network.lm_head.weight.grad.numpy(), expected, atol=1e-4)


@pytest.fixture
def scorer() -> PooledNetwork:
    return PooledNetwork(tiny_bert(), 3).train(False)


def rows(*lengths: int) -> tuple[Any, ...]:
    return tuple(np.random.default_rng(length).integers(4, 400, length) for length in lengths)


def outputs(network: PooledNetwork, row: Any) -> Any:
    with torch.no_grad():
        return (
            network(torch.from_numpy(row[None]), torch.ones(1, len(row), dtype=torch.int64))[0]
            .double()
            .numpy()
        )


def test_label_loss(scorer: PooledNetwork) -> None:
    items = [Labelled(rows(5), 2), Labelled(rows(8), 0)]
    expected = -sum(log_softmax(outputs(scorer, item.rows[0]))[item.label] for item in items)
    with torch.no_grad():
        loss, count = choice_loss(scorer, items)
    assert (float(loss), count) == (pytest.approx(expected, rel=1e-5), 2)


def test_choice_loss_with_different_numbers_of_choices(scorer: PooledNetwork) -> None:
    items = [Labelled(rows(5, 3, 7), 1), Labelled(rows(4, 6), 0)]
    expected = 0.0
    for item in items:
        scores = np.array([outputs(scorer, row)[0] for row in item.rows])
        expected -= log_softmax(scores)[item.label]
    loss, count = choice_loss(scorer, items)
    assert (float(loss.detach()), count) == (pytest.approx(expected, rel=1e-5), 2)
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(torch.isfinite(p.grad).all() for p in scorer.parameters() if p.grad is not None)
