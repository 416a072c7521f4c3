"""Packed batches give what padded ones give, and nothing sees what lies beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tianti.adapt import packing
from tianti.adapt.full import Full
from tianti.adapt.losses import answer_logits
from tianti.adapt.packing import check_packing, packed_logits, rows_of
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine.tokens import Window
from tiny import tiny_gpt2, tiny_llama


def windows(*sizes: tuple[int, int]) -> list[Window]:
    """(tokens, scored) each."""
    draw = np.random.default_rng(1)
    return [Window(draw.integers(4, 400, size), scored) for size, scored in sizes]


MIXED = windows((9, 2), (30, 5), (4, 3), (17, 1), (30, 29), (2, 1), (11, 4))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(0, 30))
def test_every_text_lies_in_one_row_that_is_long_enough(sizes: list[int], more: int) -> None:
    length = max(sizes) + more
    rows = rows_of(sizes, length)
    assert sorted(index for row in rows for index in row) == list(range(len(sizes)))
    assert all(sum(sizes[index] for index in row) <= length for row in rows)
    # First fit: no two rows could have been one.
    fills = sorted(sum(sizes[index] for index in row) for row in rows)
    assert len(fills) < 2 or fills[0] + fills[1] > length


def _by_target(logits: torch.Tensor, targets: torch.Tensor) -> dict[int, list[torch.Tensor]]:
    found: dict[int, list[torch.Tensor]] = {}
    for row, target in zip(logits, targets.tolist(), strict=True):
        found.setdefault(target, []).append(row)
    return found


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2])
def test_packed_logits_are_those_of_each_text_alone(make: Callable[..., Any], attention: str) -> None:
    network = make()
    network.set_attn_implementation(attention)
    with torch.no_grad():
        logits, targets = packed_logits(network, MIXED)
        alone = [answer_logits(network, [MIXED[index]]) for index in packing._order(MIXED)]
    assert torch.equal(targets, torch.cat([tokens for _, tokens in alone]))
    torch.testing.assert_close(logits, torch.cat([one for one, _ in alone]), atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_padded_texts() -> None:
    found = []
    for read in (packed_logits, answer_logits):
        network = tiny_llama()
        logits, targets = read(network, MIXED)
        nn.functional.cross_entropy(logits, targets, reduction="sum").backward()
        found.append(network)
    for ours, other in zip(found[0].parameters(), found[1].parameters(), strict=True):
        torch.testing.assert_close(ours.grad, other.grad, atol=1e-4, rtol=1e-4)


def test_fewer_tokens_are_read() -> None:
    read: list[int] = []
    network = tiny_llama()
    network.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    with torch.no_grad():
        packed_logits(network, MIXED)
        answer_logits(network, MIXED)
    assert read == [4 * 29, 7 * 29]


def test_a_model_in_which_packed_texts_see_each_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_packing(tiny_llama(), MIXED)
    everything = lambda texts, dtype: torch.zeros(len(texts), 1, texts.shape[1], texts.shape[1], dtype=dtype)  # noqa: E731
    monkeypatch.setattr(packing, "_mask", everything)
    with pytest.raises(IncompatibleError, match="see each other"):
        check_packing(tiny_llama(), MIXED)


def test_packed_training_is_training_in_random_batches(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    losses = []
    for batches in ("packed", "random"):
        chosen = Full(batches=batches, lr=1e-3, epochs=2, batch=8)
        adapted = chosen.adapt(model("llama"), task("text"), 0, tmp_path / batches, Silent())
        losses.append((*adapted.cost.train_loss, *adapted.cost.validation))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][1] < losses[0][0]


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_only_causal_models_pack(
    name: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    with pytest.raises(IncompatibleError, match="packed does not fit"):
        Full(batches="packed").adapt(model(name), task("labels"), 0, tmp_path, Silent())
