"""Logits only where something is scored, and log-probabilities looked up in them in float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

LOGITS_AT_ONCE = 1 << 26
"""Numbers in one block of the float32 log-softmax: 256 MiB."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Per-token log-probabilities in nats, and whether each token was the likeliest."""

    logprobs: list[float]
    is_greedy: bool


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


def look_up(
    logits: torch.Tensor, rows: NDArray[np.int64], targets: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log-probability of each target at its row of `logits` (n × vocabulary), and whether it is the largest."""
    at = torch.from_numpy(rows).to(logits.device)
    wanted = torch.from_numpy(targets.astype(np.int64)).to(logits.device)
    blocks = torch.split(logits, max(1, LOGITS_AT_ONCE // logits.shape[-1]))
    total = torch.cat([block.float().logsumexp(dim=-1) for block in blocks])
    logprobs = logits[at, wanted].float() - total[at]
    likeliest = logits.argmax(dim=-1)[at] == wanted
    return logprobs.cpu().numpy(), likeliest.cpu().numpy()


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
