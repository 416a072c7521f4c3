"""Networks that adaptations train: copies of a model, and a head on pooled features."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tianti.adapt.samples import pad, sorted_batches
from tianti.engine.tokens import Tokens


def own_copy(network: Any) -> Any:
    """A copy with weights of its own, in float32: small updates vanish in half precision."""
    return copy.deepcopy(network).float()


def shared_copy(network: Any) -> Any:
    """A copy whose weights are frozen views of the same memory; what is added to it leaves the original alone."""
    views = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in network.parameters()}
    return copy.deepcopy(network, views)


class PooledNetwork(nn.Module):
    """A transformer body, the mean of its hidden states over each row's tokens, and a linear head on it.

    Mean pooling is what sentence encoders are trained for, and it serves causal bodies as well.
    """

    def __init__(self, body: Any, outputs: int) -> None:
        super().__init__()
        if getattr(body, "pooler", None) is not None:
            body.pooler = None  # BERT's own pooling head, trained on next-sentence prediction; not used here
        self.body = body
        width = body.config.hidden_size
        self.head = nn.Linear(width, outputs, device=body.device)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        names = inspect.signature(type(body).forward).parameters
        self.options = {"use_cache": False} if "use_cache" in names else {}

    @property
    def config(self) -> Any:
        """The body's config."""
        return self.body.config

    def features(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[rows, tokens] → [rows, width], in float32."""
        read = self.body(input_ids=input_ids, attention_mask=attention_mask, **self.options)
        hidden: Tensor = read.last_hidden_state.float()
        mask = attention_mask.unsqueeze(-1).float()
        return torch.sum(hidden * mask, dim=1) / mask.sum(dim=1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[rows, tokens] → logits [rows, outputs]."""
        logits: Tensor = self.head(self.features(input_ids, attention_mask))
        return logits


def compute_features(network: PooledNetwork, rows: Sequence[Tokens], fill: int, batch: int = 32) -> Tensor:
    """The pooled features of all rows, [rows, width] on the CPU, computed once in batches of similar length."""
    device = network.head.weight.device
    found = torch.empty(len(rows), network.head.in_features)
    network.train(False)
    with torch.no_grad():
        for indices in sorted_batches([len(row) for row in rows], batch):
            ids, mask = pad([rows[index] for index in indices], fill, device)
            found[indices] = network.features(ids, mask).cpu()
    return found
