"""Integrated gradients against a Riemann sum of our own, and the sum that they must have."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tianti.evaluation.attribution import Rows, attribute, delete_tokens
from tianti.evaluation.attribution.attribution import filler, logprobs
from tianti.evaluation.attribution.scorers import Scorer
from tiny import tiny_tokenizer

TEXT = "abcde"


class Curved(Scorer):
    """Two scores that are no linear functions of the mean embedding."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.embedding = nn.Embedding(12, 4)
        self.embedding.weight.data = torch.randn(12, 4, generator=generator)
        self.weights = torch.randn(4, 2, generator=generator)

    def scores(self, embedded: Tensor, mask: Tensor, count: int) -> Tensor:
        kept = mask.unsqueeze(-1).float()
        return torch.tanh((embedded * kept).sum(dim=1) / kept.sum(dim=1)) @ self.weights


def _rows() -> Rows:
    """A special token, five tokens of a text, and a special token."""
    places = {position + 1: (position, position + 1) for position in range(5)}
    return Rows(TEXT, ("yes", "no"), ((0, 5, 6, 7, 8, 9, 1),), (places,), Curved())


def _riemann(rows: Rows, answer: int, steps: int) -> list[float]:
    """The same by the definition: the mean gradient over midpoints of the path, times the way."""
    scorer, table = rows.scorer, rows.scorer.embedding
    ids = torch.tensor(rows.ids)
    start = torch.tensor(rows.replaced(filler(tiny_tokenizer())))
    low, high = table(start).detach(), table(ids).detach()
    total = torch.zeros_like(low)
    for step in range(steps):
        point = (low + (step + 0.5) / steps * (high - low)).requires_grad_(True)
        scores = scorer.scores(point, torch.ones_like(ids), 1).log_softmax(dim=1)  # type: ignore[operator]
        total += torch.autograd.grad(scores[0, answer], point)[0] / steps
    return (total * (high - low)).sum(dim=-1)[0, 1:6].tolist()


@pytest.mark.parametrize("answer", [0, 1])
def test_weights_are_those_of_the_definition(answer: int) -> None:
    rows = _rows()
    found = attribute(rows, answer, tiny_tokenizer(), steps=64)
    assert [token.weight for token in found.tokens] == pytest.approx(_riemann(rows, answer, 2000), abs=1e-3)
    assert "".join(token.text for token in found.tokens) == TEXT
    assert found.score == pytest.approx(logprobs(rows)[answer], abs=1e-6)
    assert sum(token.weight for token in found.tokens) == pytest.approx(
        found.score - found.baseline + found.delta, abs=1e-5
    )
    assert abs(found.delta) < 0.02


def test_deleting_is_from_the_whole_text_and_drawn_again_the_same() -> None:
    rows = _rows()
    found = attribute(rows, 0, tiny_tokenizer())
    heaviest = max(found.tokens, key=lambda token: token.weight)
    deletion = delete_tokens(rows, found, 0, ["a", 0])
    assert deletion == delete_tokens(rows, found, 0, ["a", 0])
    without = rows.without(frozenset({(heaviest.start, heaviest.end)}))
    assert [len(row) for row in without] == [6]
    left = Rows(TEXT, rows.choices, tuple(map(tuple, without)), ({},), rows.scorer)
    expected = torch.tensor([found.score, logprobs(left)[0]]).exp()
    assert deletion.deleted == 1
    assert deletion.top_drop == pytest.approx(float(expected[0] - expected[1]), abs=1e-5)
    assert deletion.difference == deletion.top_drop - deletion.random_drop
