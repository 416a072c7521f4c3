"""Next-token prediction: each token from those before it (Radford et al. 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tianti.adapt.pretrain.objectives.objective import Batch
from tianti.adapt.pretrain.packing import Source, pack
from tianti.adapt.pretrain.settings import Pretraining


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
        loss: Tensor = network(input_ids=ids, labels=ids, use_cache=False).loss
        return loss
