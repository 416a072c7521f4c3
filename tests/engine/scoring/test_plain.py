"""The output head runs where something is scored, and only if that gives the same logits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tianti.engine.batches import BatchLimit, Usage
from tianti.engine.scoring.logits import Head, Scored
from tianti.engine.scoring.plain import PlainReader, PlainScorer
from tianti.engine.tokens import Window
from tiny import tiny_gpt2, tiny_llama


def window(*tokens: int, scored: int) -> Window:
    return Window(np.array(tokens, dtype=np.int32), scored)


def scores(network: Any, windows: list[Window]) -> dict[int, Scored]:
    found = dict(PlainScorer(PlainReader(network, Head(network)), BatchLimit(), Usage()).score(windows))
    assert all(isinstance(score, Scored) for score in found.values())
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("network", [tiny_llama(), tiny_gpt2()], ids=["llama", "gpt2"])
def test_scores_are_log_softmax_at_the_targets(network: Any):
    """Against one plain forward pass per window, for windows that share a row and split it at different points."""
    windows = [window(1, 20, 30, 40, scored=1), window(1, 20, 30, 50, scored=3), window(7, 8, scored=1)]
    windows.append(window(*range(60, 90), scored=29))
    found = scores(network, windows)
    assert sorted(found) == [0, 1, 2, 3]
    for number, window_ in enumerate(windows):
        tokens = torch.from_numpy(window_.tokens).long()
        with torch.no_grad():
            reference = network(tokens[None, :-1]).logits[0].log_softmax(dim=-1)[-window_.scored :]
        targets = tokens[-window_.scored :]
        expected = reference.gather(1, targets[:, None])[:, 0]
        assert found[number].logprobs == pytest.approx(expected.tolist(), abs=1e-5)
        assert found[number].is_greedy == bool((reference.argmax(-1) == targets).all())


def test_greedy_is_noticed():
    network = tiny_llama()
    likeliest = int(network(torch.tensor([[5, 6, 7]])).logits[0, -1].argmax())
    windows = [window(5, 6, 7, likeliest, scored=1), window(5, 6, 7, likeliest - 1, scored=1)]
    found = scores(network, windows)
    assert [found[number].is_greedy for number in (0, 1)] == [True, False]


def test_logits_are_made_for_the_scored_positions_only():
    network = tiny_llama()
    reader = PlainReader(network, Head(network))
    assert reader.gathers
    seen: list[tuple[int, ...]] = []
    hook = network.lm_head.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    windows = [window(*range(40), scored=2), window(*range(5, 40), scored=1)]
    list(PlainScorer(reader, BatchLimit(), Usage()).score(windows))
    hook.remove()
    assert seen == [(1, 3, 420)]
    assert not network.lm_head._forward_pre_hooks


class Scaled(torch.nn.Module):
    """A network that works on its logits after the head, in a way that needs all of them or not."""

    def __init__(self, over_positions: bool, called: bool = True) -> None:
        super().__init__()
        self.inner = tiny_llama()
        self.config = self.inner.config
        self.over_positions = over_positions
        self.called = called

    def get_input_embeddings(self) -> Any:
        return self.inner.get_input_embeddings()

    def get_output_embeddings(self) -> Any:
        return self.inner.get_output_embeddings() if self.called else None

    def forward(self, input_ids: torch.Tensor, **options: Any) -> Any:
        logits = torch.tanh(self.inner(input_ids=input_ids, **options).logits) * 3
        return SimpleNamespace(logits=logits.cumsum(1) if self.over_positions else logits)


@pytest.mark.parametrize(
    ("network", "gathers"),
    [(Scaled(False), True), (Scaled(True), False), (Scaled(False, called=False), False)],
    ids=["soft-capped", "mixes positions", "no head to be found"],
)
def test_gathering_is_given_up_where_it_is_wrong(network: Scaled, gathers: bool):
    assert PlainReader(network, Head(network)).gathers == gathers
    windows = [window(3, 4, 5, 6, 7, scored=2), window(8, 9, 10, scored=1)]
    found = scores(network, windows)
    for number, asked in enumerate(windows):
        tokens = torch.from_numpy(asked.tokens).long()
        with torch.no_grad():
            reference = network(tokens[None, :-1]).logits[0].log_softmax(-1)
        expected = [float(reference[at, tokens[at + 1]]) for at in range(len(tokens) - 1)]
        assert found[number].logprobs == pytest.approx(expected[-asked.scored :], abs=1e-5)
