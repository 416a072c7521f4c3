"""What an objective answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from tianti.adapt.pretrain.packing import Source


@dataclass(frozen=True)
class Batch:
    """What the network is given in one step, by the names of its arguments, and how many tokens of text that is."""

    inputs: dict[str, Tensor]
    tokens: int

    def to(self, device: Any) -> Batch:
        return Batch({name: tensor.to(device) for name, tensor in self.inputs.items()}, self.tokens)


class Objective(Protocol):
    """Makes batches of text, and says how wrong a network is on one."""

    def batch(self, source: Source, position: int, rng: np.random.Generator) -> tuple[Batch, int]:
        """The batch that begins with piece `position`, and the number of the first piece behind it."""
        ...

    def loss(self, network: Any, batch: Batch) -> Tensor:
        """The mean negative log-likelihood of what is predicted, in nats per token."""
        ...
