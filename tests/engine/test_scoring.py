"""The output head runs where something is scored, and only if that gives the same logits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tianti.engine.scoring import Scorer, about_equal, readings
from tianti.engine.tokens import Window
from tiny import tiny_gpt2, tiny_llama


def window(*tokens: int, scored: int) -> Window:
    return Window(np.array(tokens, dtype=np.int32), scored)


def test_windows_that_read_the_same_share_a_row():
    windows = [window(1, 2, 3, 4, scored=1), window(1, 2, 3, 5, scored=3), window(1, 2, 9, 4, scored=1)]
    rows = readings(windows)
    assert [(row.tokens.tolist(), row.windows, row.scored) for row in rows] == [
        ([1, 2, 3], [0, 1], 3),
        ([1, 2, 9], [2], 1),
    ]


@pytest.mark.parametrize("network", [tiny_llama(), tiny_gpt2()], ids=["llama", "gpt2"])
def test_scores_are_log_softmax_at_the_targets(network: Any):
    """Against one plain forward pass per window, for windows that share a row and split it at different points."""
    windows = [window(1, 20, 30, 40, scored=1), window(1, 20, 30, 50, scored=3), window(7, 8, scored=1)]
    windows.append(window(*range(60, 90), scored=29))
    scorer = Scorer(network)
    rows = readings(windows)
    for row, scores in zip(rows, scorer.score(windows, rows), strict=True):
        for number, found in zip(row.windows, scores, strict=True):
            tokens = torch.from_numpy(windows[number].tokens).long()
            with torch.no_grad():
                reference = (
                    network(tokens[None, :-1]).logits[0].log_softmax(dim=-1)[-windows[number].scored :]
                )
            targets = tokens[-windows[number].scored :]
            expected = reference.gather(1, targets[:, None])[:, 0]
            assert found.logprobs == pytest.approx(expected.tolist(), abs=1e-5)
            assert found.is_greedy == bool((reference.argmax(-1) == targets).all())


def test_greedy_is_noticed():
    network = tiny_llama()
    likeliest = int(network(torch.tensor([[5, 6, 7]])).logits[0, -1].argmax())
    windows = [window(5, 6, 7, likeliest, scored=1), window(5, 6, 7, likeliest - 1, scored=1)]
    scores = Scorer(network).score(windows, readings(windows))
    assert [score.is_greedy for score in scores[0]] == [True, False]


def test_logits_are_made_for_the_scored_positions_only():
    network = tiny_llama()
    scorer = Scorer(network)
    assert scorer.path == "gathered"
    seen: list[tuple[int, ...]] = []
    hook = network.lm_head.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    windows = [window(*range(40), scored=2), window(*range(5, 40), scored=1)]
    scorer.score(windows, readings(windows))
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
    ("network", "path"),
    [(Scaled(False), "gathered"), (Scaled(True), "full"), (Scaled(False, called=False), "full")],
    ids=["soft-capped", "mixes positions", "no head to be found"],
)
def test_gathering_is_given_up_where_it_is_wrong(network: Scaled, path: str):
    scorer = Scorer(network)
    assert scorer.path == path
    windows = [window(3, 4, 5, 6, 7, scored=2), window(8, 9, 10, scored=1)]
    rows = readings(windows)
    for row, scores in zip(rows, scorer.score(windows, rows), strict=True):
        tokens = torch.from_numpy(windows[row.windows[0]].tokens).long()
        with torch.no_grad():
            reference = network(tokens[None, :-1]).logits[0].log_softmax(-1)
        expected = [float(reference[at, tokens[at + 1]]) for at in range(len(tokens) - 1)]
        assert scores[0].logprobs == pytest.approx(expected[-row.scored :], abs=1e-5)


def test_about_equal():
    logits = torch.tensor([1.0, torch.nan, -torch.inf])
    assert about_equal(logits, logits.clone())
    assert not about_equal(logits, torch.tensor([1.1, torch.nan, -torch.inf]))
    assert not about_equal(logits, logits[:2])
    assert about_equal(torch.tensor([1.01], dtype=torch.bfloat16), torch.tensor([1.0], dtype=torch.bfloat16))
