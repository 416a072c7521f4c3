"""Integrated gradients of the answer's score over the tokens of the text.

Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", arXiv:1703.01365.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tianti.core.exceptions import IncompatibleError, MissingExtraError
from tianti.evaluation.attribution.rows import Rows, Span

STEPS = 32
"""Points of the path at which the gradient is taken first."""
TOLERANCE = 0.02
"""The share of what is attributed that may be missing or too much, in nats where that is less than one."""
DOUBLINGS = 4
"""How often the points are doubled at most while more is."""
AT_ONCE = 64
"""Rows that go through the network together."""


@dataclass(frozen=True)
class Token:
    """A token of the text, [start, end) in its characters, and what it adds to the answer's score."""

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Attribution:
    """What each token adds to `score`, the log-probability of `answer` among the choices.

    `baseline` is that score with a token that says nothing in place of each token of the text. The weights sum to
    score − baseline up to `delta`, which is what the sum over a path of so many `steps` gets wrong.
    """

    answer: str
    score: float
    baseline: float
    delta: float
    steps: int
    tokens: tuple[Token, ...]


def attribute(rows: Rows, answer: int, tokenizer: Any, steps: int = STEPS) -> Attribution:
    """Integrated gradients from the baseline to the question, for the choice number `answer`.

    Where the weights miss what they should sum to, the steps are doubled, a few times at most.

    Raises:
        MissingExtraError: captum is not installed.
        IncompatibleError: no token of the text can be changed.
    """
    try:
        from captum.attr import LayerIntegratedGradients
    except ImportError as error:
        raise MissingExtraError("captum", "explain", "an attribution") from error
    spans = rows.spans
    if not spans:
        raise IncompatibleError(
            "the question has no text of its own to explain", remedy="explain another sample"
        )
    ids, mask = stacked(rows.ids)
    start, _ = stacked(rows.replaced(filler(tokenizer)))
    device = next(rows.scorer.parameters()).device
    ids, start, mask = ids.to(device), start.to(device), mask.to(device)

    def score(read: Tensor) -> Tensor:
        found: Tensor = rows.scorer(read, mask.expand(len(read), -1, -1))[:, answer]
        return found

    with torch.no_grad():
        value, before = float(score(ids)[0]), float(score(start)[0])
    method = LayerIntegratedGradients(score, rows.scorer.embedding)
    for taken in (steps << doubling for doubling in range(DOUBLINGS + 1)):
        found = method.attribute(
            ids, baselines=start, n_steps=taken, internal_batch_size=max(1, AT_ONCE // ids.shape[1])
        )
        weights = _by_span(rows, found.sum(dim=-1).reshape(ids.shape[1:]).tolist())
        delta = sum(weights.values()) - (value - before)
        if abs(delta) <= TOLERANCE * max(1.0, abs(value - before)):
            break
    tokens = tuple(Token(rows.text[span[0] : span[1]], *span, weights[span]) for span in spans)
    return Attribution(rows.choices[answer], value, before, delta, taken, tokens)


def scores(rows: Rows, variants: Sequence[Sequence[Sequence[int]]], answer: int) -> list[float]:
    """The score of a choice for each of several variants of the rows."""
    device = next(rows.scorer.parameters()).device
    found = []
    with torch.no_grad():
        for variant in variants:
            ids, mask = stacked(variant)
            found.append(float(rows.scorer(ids.to(device), mask.to(device))[0, answer]))
    return found


def logprobs(rows: Rows) -> list[float]:
    """The log-probabilities over the choices."""
    device = next(rows.scorer.parameters()).device
    ids, mask = stacked(rows.ids)
    with torch.no_grad():
        found: list[float] = rows.scorer(ids.to(device), mask.to(device))[0].tolist()
    return found


def stacked(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of tokens, padded on the right, and their mask: each [1, rows, tokens]."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids[None], mask[None]


def filler(tokenizer: Any) -> int:
    """The token that says nothing: that of a mask, else the padding, the unknown or the end."""
    for name in ("mask_token_id", "pad_token_id", "unk_token_id", "eos_token_id"):
        found = getattr(tokenizer, name, None)
        if found is not None:
            return int(found)
    raise IncompatibleError(
        "the tokenizer has no mask, padding, unknown or end token to stand for a text that says nothing",
        remedy="add one of them to the tokenizer",
    )


def _by_span(rows: Rows, weights: Sequence[Sequence[float]]) -> dict[Span, float]:
    """The weights of a span's tokens in all rows, summed: one token is read in every row."""
    found: dict[Span, float] = defaultdict(float)
    for row, places in zip(weights, rows.places, strict=True):
        for position, span in places.items():
            found[span] += row[position]
    return found
