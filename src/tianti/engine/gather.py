"""Rows of tokens in, logits out, only where something is scored: for networks that are not causal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tianti.engine.scoring import Scored


@contextmanager
def head_reads(network: Any, rows: torch.Tensor, positions: torch.Tensor) -> Iterator[None]:
    """Inside, the output head of `network` sees only these positions: logits are (1 × n × vocabulary).

    Hidden states are gathered within the network's own forward pass, so that whatever it does to its logits afterwards
    (a bias, scaling, soft-capping) is still done.
    """

    def gather(module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (inputs[0][rows, positions].unsqueeze(0), *inputs[1:])

    hook = network.get_output_embeddings().register_forward_pre_hook(gather)
    try:
        yield
    finally:
        hook.remove()


def cut(logprobs: NDArray[np.float32], likeliest: NDArray[np.bool_], lengths: list[int]) -> list[Scored]:
    """Consecutive targets as one `Scored` for each of `lengths`."""
    ends = np.cumsum([0, *lengths])
    return [
        Scored(logprobs[start:end].tolist(), bool(likeliest[start:end].all()))
        for start, end in pairwise(ends)
    ]


def padded(rows: list[NDArray[Any]], fill: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of tokens side by side, padded on the right: ids and mask, each (rows × longest)."""
    longest = max(map(len, rows))
    tokens = np.full((len(rows), longest), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
    mask = np.arange(longest) < np.array([len(row) for row in rows])[:, None]
    return torch.from_numpy(tokens).to(device), torch.from_numpy(mask).long().to(device)
