"""Drawn tokens: each row for itself, and only from the likeliest that reach top_p."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from tianti.engine import GenerateRequest
from tianti.engine.generation.sampling import draw

TEMPERATURES = st.floats(0.1, 3.0)
TOP_PS = st.sampled_from([0.1, 0.5, 0.9, 1.0])


def drawn(logits: torch.Tensor, requests: list[GenerateRequest]) -> list[int]:
    generators = [torch.Generator().manual_seed(request.seed) for request in requests]
    found: list[int] = draw(logits, requests, generators).tolist()
    return found


def reference(logits: np.ndarray, request: GenerateRequest) -> int:
    """Token by token, with plain sums."""
    scaled = logits.astype(np.float64) / request.temperature
    probabilities = np.exp(scaled - scaled.max())
    probabilities /= probabilities.sum()
    tokens = list(range(len(logits)))
    if request.top_p < 1:
        tokens.sort(key=lambda token: -probabilities[token])
        kept: list[int] = []
        while sum(probabilities[kept]) < request.top_p:
            kept.append(tokens[len(kept)])
        tokens = kept
    generator = torch.Generator().manual_seed(request.seed)
    point = float(torch.rand((), generator=generator, dtype=torch.float64)) * sum(probabilities[tokens])
    reached = np.cumsum(probabilities[tokens])
    return tokens[int((reached <= point).sum())]


@given(
    st.lists(
        st.builds(
            GenerateRequest, st.just(""), temperature=TEMPERATURES, top_p=TOP_PS, seed=st.integers(0, 99)
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 99),
)
def test_a_row_is_drawn_as_if_it_were_alone(requests: list[GenerateRequest], seed: int):
    logits = 3 * torch.randn(len(requests), 40, generator=torch.Generator().manual_seed(seed))
    together = drawn(logits, requests)
    assert together == [drawn(logits[[row]], [request])[0] for row, request in enumerate(requests)]
    assert together == [reference(logits[row].numpy(), request) for row, request in enumerate(requests)]


def test_a_generator_goes_on_where_it_was():
    generator = torch.Generator().manual_seed(1)
    request = GenerateRequest("", temperature=1.0)
    logits = torch.zeros(1, 1000)
    assert len({int(draw(logits, [request], [generator])) for _ in range(9)}) > 5


def test_the_likeliest_alone_is_left_of_a_small_top_p():
    logits = torch.tensor([[0.0, 5.0, 1.0], [9.0, 5.0, 1.0]])
    requests = [GenerateRequest("", temperature=2.0, top_p=1e-6, seed=seed) for seed in (3, 4)]
    assert drawn(logits, requests) == [1, 0]
