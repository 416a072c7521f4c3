"""What may be done beside plain training, at the places where a training loop can be joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


class Hook:
    """A base that does nothing: whoever joins a training overrides what it needs.

    In each step of the optimizer, in this order: `after_gradient`, `penalty` and its backward pass, clipping, the
    optimizer's step, `after_step`.
    """

    def after_gradient(self, network: Any) -> None:
        """The gradient of the mean loss of the step's examples is there, and nothing else in it."""

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        """A scalar whose gradient is added to that of the mean loss of `items`, the step's examples; None for nothing.

        What is drawn at random comes from torch's global state, which a checkpoint keeps.
        """
        return None

    def after_step(self, network: Any) -> None:
        """The optimizer has moved the parameters."""

    def on_best(self, network: Any) -> None:
        """The weights as they are now are the best so far, and will be kept unless better ones come."""

    def state(self) -> Mapping[str, Tensor]:
        """What a checkpoint needs of this hook, to go on from there."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
