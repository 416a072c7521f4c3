"""What an objective is: how a network of one architecture learns examples in one form, and how it then answers.

An objective is one file beside this one, chosen in `objectives/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor

from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.samples import Item
from tianti.engine import Backend
from tianti.tasks.task import Example


class Objective(Protocol):
    """Made for one lesson. Implementations hold the lesson and nothing that is learned."""

    @property
    def lesson(self) -> Lesson: ...

    def build(self, prepare: Prepare) -> Any:
        """The network to train: a prepared copy of the model's network, with what this form needs on top.

        Fresh weights are drawn from torch's global random state, which the caller seeds.
        """
        ...

    def items(self, network: Any, examples: Sequence[Example]) -> Sequence[Item]:
        """The examples as tokens.

        Raises:
            IncompatibleError: an example that the network cannot read.
        """
        ...

    def loss(self, network: Any, items: Sequence[Any]) -> tuple[Tensor, int | Tensor]:
        """The summed loss of the items in nats, and how many terms it sums: answer tokens, labels, tags."""
        ...

    def hits(self, network: Any, items: Sequence[Any]) -> tuple[float, int]:
        """How many terms of the loss are predicted right, and of how many: what validation may go by instead."""
        ...

    def backend(self, network: Any) -> Backend:
        """What answers with the trained network, which is in evaluation mode and needs no gradient."""
        ...
