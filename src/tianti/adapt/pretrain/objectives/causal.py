"""Next-token prediction: each token from those before it (Radford et al. 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tianti.adapt.pretrain.objectives.objective import Batch
from tianti.adapt.pretrain.packing import Source, pack
from tianti.adapt.pretrain.settings import Pretraining

NOTHING = -100
"""Follows the last token of a sequence."""


class NextToken:
    """Sequences of documents, one after the other, each with the end token behind it."""

    def __init__(self, settings: Pretraining) -> None:
        self.settings = settings

    def batch(self, source: Source, position: int, rng: np.random.Generator) -> tuple[Batch, int]:
        rows = []
        for _ in range(self.settings.batch):
            row, position = pack(source, position, self.settings.length)
            rows.append(row.tokens)
        ids = torch.tensor(rows)
        return Batch({"input_ids": ids}, ids.numel()), position

    def loss(self, network: Any, batch: Batch) -> Tensor:
        ids = batch.inputs["input_ids"]
        read = network(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
        following = torch.cat((ids[:, 1:], torch.full_like(ids[:, :1], NOTHING)), dim=1)
        return cross_entropy(read.float().flatten(0, 1), following.flatten(), ignore_index=NOTHING)
