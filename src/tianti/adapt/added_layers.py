"""Layers that adaptations add to a network by hooks, so that its own modules stay what they are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu


class Bottleneck(nn.Module):
    """x + up(gelu(down(x))), computed in float32."""

    def __init__(self, width: int, bottleneck: int, device: torch.device) -> None:
        super().__init__()
        self.down = nn.Linear(width, bottleneck, device=device)
        self.up = nn.Linear(bottleneck, width, device=device)
        for layer in (self.down, self.up):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    @classmethod
    def behind(cls, layer: Any, reduction: int) -> None:
        """Put a bottleneck of (outputs / reduction) behind a linear layer."""
        width = layer.out_features if isinstance(layer, nn.Linear) else layer.nf
        adapter = cls(width, max(1, width // reduction), layer.weight.device)
        layer.adapter = adapter
        layer.register_forward_hook(adapter.apply_to)

    def forward(self, states: Tensor) -> Tensor:
        read = states.float()
        adapted: Tensor = (read + self.up(gelu(self.down(read)))).to(states.dtype)
        return adapted

    def apply_to(self, layer: Any, given: Any, states: Tensor) -> Tensor:
        """As a forward hook of the layer."""
        adapted: Tensor = self(states)
        return adapted
