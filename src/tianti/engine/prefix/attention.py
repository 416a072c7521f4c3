"""Attention in pieces: each with the log-sum-exp of its scores, so that pieces over disjoint keys can be merged.

For disjoint sets of keys A and B a query's softmax-weighted sum over both is that of A times exp(lse_A - lse) plus
that of B times exp(lse_B - lse), where lse is the log-sum-exp over both (Milakov & Gimelshein 2018, "Online
normalizer calculation for softmax"). So what many sequences share is read where it is, once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

SCORES_AT_ONCE = 1 << 26
"""Attention scores held at once where they are written out: 256 MiB in float32."""


class Heads(NamedTuple):
    """What attention is computed from: batch × heads × tokens × width, or without the batch.

    `key` and `value` may have fewer heads than `query`: each serves as many neighbouring heads of it.
    """

    query: Tensor
    key: Tensor
    value: Tensor


@dataclass(frozen=True)
class Settings:
    """What a layer asks of its attention.

    `scale` multiplies the scores, `softcap` bounds them (Gemma 2), `window` is how many tokens back a token sees,
    itself counted, and `sinks` (one number per head) joins the scores without having a value (gpt-oss).
    """

    scale: float
    softcap: float | None = None
    window: int | None = None
    sinks: Tensor | None = None


def attend(
    heads: Heads, settings: Settings, mask: Tensor | None = None, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """The attention output (batch × heads × queries × width) and the log-sum-exp of the scores, in float32.

    Args:
        heads: with the batch.
        mask: batch × queries × keys, where True lets a query see a key. A query that sees none gets a log-sum-exp of
            minus infinity.
        causal: queries and keys are the same tokens, and each sees itself and those before.
    """
    query = heads.query
    fused = query.device.type == "cpu" and settings.softcap is None
    compute = _fused if fused and query.shape[-1] == heads.value.shape[-1] else _written_out
    out, total = compute(heads, settings, mask, causal)
    if mask is None:
        return out, total
    blind = ~mask.any(dim=-1)[:, None]
    return out.masked_fill(blind[..., None], 0.0), total.masked_fill(blind, float("-inf"))


def merge(out: Tensor, total: Tensor, more_out: Tensor, more_total: Tensor) -> None:
    """Merge more keys into `out` (heads × queries × width) and `total` (heads × queries), in place."""
    together = torch.logaddexp(total, more_total)
    out.mul_((total - together).exp_().unsqueeze(-1))
    out.addcmul_(more_out.to(out.dtype), (more_total - together).exp_().unsqueeze(-1))
    total.copy_(together)


def _fused(heads: Heads, settings: Settings, mask: Tensor | None, causal: bool) -> tuple[Tensor, Tensor]:
    """PyTorch's own kernel for CPUs, which never writes the scores out."""
    query, key, value = heads
    shape, key_heads = query.shape, key.shape[1]
    bias = None
    if mask is None and not causal:
        # Heads that share a key head are more queries to it.
        query = query.reshape(shape[0], key_heads, -1, shape[-1])
    else:
        # Even one copy of each head would be a copy of all of them.
        if shape[1] > key_heads:
            key, value = (part.repeat_interleave(shape[1] // key_heads, dim=1) for part in (key, value))
    if mask is not None:
        lowest = torch.finfo(query.dtype).min
        bias = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, lowest)[:, None]
    out, total = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, causal, attn_mask=bias, scale=settings.scale
    )
    return out.reshape(shape), total.reshape(shape[:-1])


def _written_out(
    heads: Heads, settings: Settings, mask: Tensor | None, causal: bool
) -> tuple[Tensor, Tensor]:
    """The scores of some queries at a time, on any device."""
    query, key, value = heads
    batch, query_heads, queries, width = query.shape
    key_heads, keys = key.shape[1], key.shape[2]
    at_once = max(1, SCORES_AT_ONCE // (batch * query_heads * keys))
    outs, totals = [], []
    for start in range(0, queries, at_once):
        some = query[:, :, start : start + at_once]
        grouped = some.reshape(batch, key_heads, -1, width)
        scores = (grouped @ key.transpose(-1, -2)).float().mul_(settings.scale)
        if settings.softcap is not None:
            scores = torch.tanh(scores / settings.softcap).mul_(settings.softcap)
        scores = scores.view(batch, query_heads, some.shape[2], keys)
        if mask is not None:
            scores.masked_fill_(~mask[:, None, start : start + at_once], torch.finfo(torch.float32).min)
        if causal:
            row = torch.arange(start, start + some.shape[2], device=query.device)[:, None]
            later = torch.arange(keys, device=query.device) > row
            scores.masked_fill_(later, torch.finfo(torch.float32).min)
        total = scores.logsumexp(dim=-1)
        weights = scores.sub_(total[..., None]).exp_().to(value.dtype)
        out = weights.reshape(batch, key_heads, -1, keys) @ value
        outs.append(out.view(batch, query_heads, some.shape[2], value.shape[-1]))
        totals.append(total)
    return torch.cat(outs, dim=2), torch.cat(totals, dim=2)
