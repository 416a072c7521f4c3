"""Texts as points by the model's own hidden states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tianti.adapt import FewShot
from tianti.adapt.embedding import Embedder, with_embedder
from tianti.tasks.task import Shots

TEXTS = ["the little town", "tea", "a house by the river and more", "tea"]


@pytest.mark.parametrize("network", ["llama", "gpt2", "t5", "bart", "masked"])
def test_a_point_is_the_mean_of_the_last_hidden_states_whatever_stands_beside_it(
    network: str, model: Callable[[str], Any]
) -> None:
    loaded = model(network)
    found = Embedder(loaded)(TEXTS)
    body = loaded.network.get_encoder() if network in ("t5", "bart") else loaded.network
    for text, point in zip(TEXTS, found, strict=True):
        ids = torch.tensor([loaded.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            states = body(input_ids=ids, output_hidden_states=True).hidden_states[-1][0]
        assert np.allclose(point, states.double().mean(0), atol=1e-5)
    assert (found[1] == found[3]).all()


def test_only_the_selection_by_embedding_gets_one(model: Callable[[str], Any]) -> None:
    loaded = model("llama")
    assert with_embedder(Shots(2, "similar"), loaded).encode is None
    assert with_embedder(Shots(2, "embedding"), loaded).encode is not None


def test_what_draws_nothing_needs_no_seed() -> None:
    assert [FewShot(selection=each).seeded for each in ("random", "first", "balanced", "similar", "embedding")] == [
        True, True, True, False, False,
    ]  # fmt: skip
