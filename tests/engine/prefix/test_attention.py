"""Attention in pieces against softmax attention written out in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tianti.engine.prefix import attention
from tianti.engine.prefix.attention import Heads, Settings, attend, merge


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def heads_of(
    batch: int, key_heads: int, group: int, queries: int, keys: int, width: int = 8, values: int = 8
):
    return Heads(
        3 * random(1, batch, key_heads * group, queries, width),
        random(2, batch, key_heads, keys, width),
        random(3, batch, key_heads, keys, values),
    )


def reference(heads: Heads, given: Settings, mask: Tensor | None, causal: bool) -> tuple[Tensor, Tensor]:
    """The output and the log-sum-exp, one query at a time, over the keys that it sees."""
    query, key, value = (part.double() for part in heads)
    group = query.shape[1] // key.shape[1]
    out = torch.zeros(*query.shape[:-1], value.shape[-1], dtype=torch.float64)
    total = torch.full(query.shape[:-1], -torch.inf, dtype=torch.float64)
    for batch, head, place in torch.cartesian_prod(
        *(torch.arange(size) for size in query.shape[:-1])
    ).tolist():
        seen = torch.ones(key.shape[2], dtype=torch.bool) if mask is None else mask[batch, place].clone()
        if causal:
            seen[place + 1 :] = False
        if not seen.any():
            continue
        scores = key[batch, head // group, seen] @ query[batch, head, place] * given.scale
        if given.softcap is not None:
            scores = given.softcap * torch.tanh(scores / given.softcap)
        out[batch, head, place] = scores.softmax(0) @ value[batch, head // group, seen]
        total[batch, head, place] = scores.logsumexp(0)
    return out, total


def check(heads: Heads, given: Settings, mask: Tensor | None = None, causal: bool = False) -> None:
    out, total = attend(heads, given, mask, causal)
    expected, expected_total = reference(heads, given, mask, causal)
    assert total.dtype == torch.float32
    torch.testing.assert_close(out.double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(total.double(), expected_total, atol=1e-5, rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 7), st.integers(1, 9)),
    st.sampled_from((None, 2.0)),
    st.sampled_from((8, 4)),
    st.sampled_from(("all", "causal", "mask")),
    st.integers(0, 99),
)
def test_attend_is_softmax_attention(
    sizes: tuple[int, int, int, int, int], softcap: float | None, values: int, how: str, seed: int
):
    """With the fused kernel, and written out where there is a cap on scores or values are of another width."""
    batch, key_heads, group, queries, keys = sizes
    if how == "causal":
        keys = queries
    heads = heads_of(batch, key_heads, group, queries, keys, values=values)
    mask = random(seed, batch, queries, keys) > 0.8 if how == "mask" else None
    check(heads, Settings(0.7, softcap), mask, how == "causal")


@pytest.mark.parametrize("softcap", [None, 2.0], ids=["fused", "written out"])
def test_blind_queries_get_nothing(softcap: float | None):
    mask = torch.zeros(2, 3, 4, dtype=torch.bool)
    mask[0, 1, 2] = True
    heads = heads_of(2, 1, 2, 3, 4)
    check(heads, Settings(1.0, softcap), mask)
    out, total = attend(heads, Settings(1.0, softcap), mask)
    assert torch.isneginf(total[1]).all()
    assert (out[1] == 0).all()


@pytest.mark.parametrize("how", ["all", "causal", "mask"])
def test_scores_are_written_out_some_at_a_time(how: str, monkeypatch: pytest.MonkeyPatch):
    heads = heads_of(2, 2, 2, 7, 7)
    mask = random(5, 2, 7, 7) > 0.3 if how == "mask" else None
    whole = attend(heads, Settings(0.5, 3.0), mask, how == "causal")
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", 2 * 4 * 7 * 3)
    check(heads, Settings(0.5, 3.0), mask, how == "causal")
    for part, other in zip(attend(heads, Settings(0.5, 3.0), mask, how == "causal"), whole, strict=True):
        torch.testing.assert_close(part, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("softcap", [None, 2.0], ids=["fused", "written out"])
def test_half_precision_masks_as_much(dtype: torch.dtype, softcap: float | None):
    heads = Heads(*(part.to(dtype) for part in heads_of(1, 2, 2, 5, 6)))
    mask = random(5, 1, 5, 6) > 0
    mask[0, 3] = False
    out, total = attend(heads, Settings(0.5, softcap), mask)
    expected, expected_total = reference(heads, Settings(0.5, softcap), mask, False)
    torch.testing.assert_close(out.double(), expected, atol=0.05, rtol=0.05)
    torch.testing.assert_close(total.double(), expected_total, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("softcap", [None, 2.0], ids=["fused", "written out"])
@pytest.mark.parametrize("size", [1e3, 1e4])
def test_large_scores_stay_finite(softcap: float | None, size: float):
    query, key, value = heads_of(1, 1, 1, 4, 4)
    heads = Heads(query * size, key, value)
    mask = torch.eye(4, dtype=torch.bool)[None]
    out, total = attend(heads, Settings(1.0, softcap), mask)
    torch.testing.assert_close(out, value)
    assert total.isfinite().all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.booleans(), st.integers(0, 99))
def test_pieces_over_disjoint_keys_merge_to_the_whole(lengths: list[int], masked: bool, seed: int):
    """Pieces of which a query sees nothing change nothing; the first it always sees, as in a step."""
    heads, given = heads_of(1, 2, 2, 3, sum(lengths)), Settings(0.6)
    mask = (
        random(seed, 1, 3, sum(lengths)) > 0.7 if masked else torch.ones(1, 3, sum(lengths), dtype=torch.bool)
    )
    mask[:, :, 0] = True
    pieces: list[Any] = []
    first = 0
    for length in lengths:
        keys = slice(first, first + length)
        part = Heads(heads.query, heads.key[:, :, keys], heads.value[:, :, keys])
        pieces.append([found[0] for found in attend(part, given, mask[:, :, keys])])
        first += length
    out, total = pieces[0]
    for piece in pieces[1:]:
        merge(out, total, *piece)
    expected, expected_total = reference(heads, given, mask, False)
    torch.testing.assert_close(out.double(), expected[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(total.double(), expected_total[0], atol=1e-5, rtol=1e-5)
