"""The loss of a training step by step, as a curve of a size that a record can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

MOST = 200
"""Points of a curve."""


class Trace:
    """The mean loss of every so many steps, of all steps from 1 to `steps`; at most MOST points.

    `total` and `count` are zeros on the device, where losses and terms are summed up: they are looked at when a point
    is due, for a look at a GPU's number waits until it has done all its work.
    """

    def __init__(self, steps: int, total: Tensor, count: Tensor) -> None:
        self._every = -(-steps // MOST)
        self._total, self._count = total, count
        self.steps: list[int] = []
        self.losses: list[float] = []

    def add(self, total: Tensor, terms: int | Tensor) -> None:
        """What one batch brought."""
        self._total += total
        self._count += terms

    def after(self, step: int) -> None:
        """A point, where one is due."""
        if step % self._every == 0:
            self.close(step)

    def close(self, step: int) -> None:
        """A point of what was added since the last; none where nothing was."""
        count = float(self._count)
        if count:
            self.steps.append(step)
            self.losses.append(float(self._total) / count)
            self._total.zero_()
            self._count.zero_()

    def state(self) -> dict[str, Any]:
        """Where it stands, as plain data."""
        sums = {"total": float(self._total), "count": float(self._count)}
        return {"steps": self.steps, "losses": self.losses, **sums}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.steps, self.losses = list(state["steps"]), list(state["losses"])
        self._total.fill_(state["total"])
        self._count.fill_(state["count"])


def joined(
    first: tuple[Sequence[int], Sequence[float]], second: tuple[Sequence[int], Sequence[float]], offset: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """(steps, losses) of two trainings one behind the other, the first of which took `offset` steps.

    Where that are more than MOST points, neighbours become one until they are not: the later step, the mean loss.
    """
    steps = [*first[0], *(offset + step for step in second[0])]
    losses = [*first[1], *second[1]]
    while len(steps) > MOST:
        pairs = [losses[start : start + 2] for start in range(0, len(losses), 2)]
        losses = [sum(pair) / len(pair) for pair in pairs]
        steps = [steps[min(start + 1, len(steps) - 1)] for start in range(0, len(steps), 2)]
    return tuple(steps), tuple(losses)
