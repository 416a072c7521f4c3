"""Tokens drawn by the model's probabilities, each row by a generator of its own.

So what is drawn depends on the request alone, not on its neighbours in a batch or on the global generator.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tianti.engine.requests import GenerateRequest


def draw(
    logits: torch.Tensor, requests: Sequence[GenerateRequest], generators: Sequence[torch.Generator]
) -> torch.Tensor:
    """One token for each row of `logits` (rows × vocabulary), as the row's request with temperature > 0 says."""
    points = torch.stack([torch.rand((), generator=g, dtype=torch.float64) for g in generators])
    temperature = torch.tensor([request.temperature for request in requests], device=logits.device)
    probabilities = (logits.float() / temperature[:, None]).double().softmax(dim=-1)
    tokens = torch.empty(len(requests), dtype=torch.long, device=logits.device)
    for nucleus in (False, True):
        rows = [row for row, request in enumerate(requests) if (request.top_p < 1) == nucleus]
        if rows:
            top_p = [requests[row].top_p for row in rows] if nucleus else None
            tokens[rows] = _drawn(probabilities[rows], points[rows].to(logits.device), top_p)
    return tokens


def _drawn(probabilities: torch.Tensor, points: torch.Tensor, top_p: list[float] | None) -> torch.Tensor:
    """The token at each point in [0, 1) of the cumulated probabilities, of the likeliest ones that reach `top_p`."""
    order = None
    if top_p is not None:
        probabilities, order = torch.sort(probabilities, dim=-1, descending=True, stable=True)
        before = probabilities.cumsum(dim=-1) - probabilities
        limits = torch.tensor(top_p, dtype=torch.float64, device=points.device)
        probabilities = probabilities * (before < limits[:, None])
    reached = probabilities.cumsum(dim=-1)
    places = torch.searchsorted(reached, (points * reached[:, -1])[:, None], right=True)
    places = places.clamp(max=reached.shape[1] - 1)
    return (places if order is None else order.gather(1, places))[:, 0]
