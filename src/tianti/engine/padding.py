"""Rows of tokens side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tianti.engine.tokens import Tokens


def padded(rows: Sequence[Tokens], fill: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of tokens padded on the right: ids and mask, each (rows × longest)."""
    longest = max(map(len, rows))
    tokens = np.full((len(rows), longest), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
    mask = np.arange(longest) < np.array([len(row) for row in rows])[:, None]
    return torch.from_numpy(tokens).to(device), torch.from_numpy(mask).long().to(device)
