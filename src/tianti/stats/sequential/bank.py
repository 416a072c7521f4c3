"""A finite bank of items over several tasks, as one mean of bounded values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.normalise import check_chance


@dataclass(frozen=True)
class Bank:
    """Which tasks make up the mean: how many items each has, and what guessing gives there.

    The macro-average θ = Σ_k w_k (mean_k − c_k)/(1 − c_k), w_k = 1/K, is one mean over all N items,
    θ = reach · mean(u_i s_i) − offset, with the item's value s_i in [0, 1] and its unit u_i in (0, 1]: items of small
    tasks, and of those where guessing gives much, weigh more. Drawing items uniformly from the whole bank is then
    drawing from bounded values u_i s_i.
    """

    sizes: Mapping[str, int]
    chances: Mapping[str, float | None]

    def __post_init__(self) -> None:
        if not self.sizes or any(size < 1 for size in self.sizes.values()):
            raise InputError("every task of a bank needs items", remedy="leave out tasks without items")
        for chance in self.chances.values():
            check_chance(chance)

    @property
    def size(self) -> int:
        """N: the items of all tasks."""
        return sum(self.sizes.values())

    @cached_property
    def reach(self) -> float:
        """What the heaviest item is worth: N w_k / (N_k (1 − c_k)), at its greatest."""
        return max(self._gain(task) for task in self.sizes)

    @cached_property
    def unit_mean(self) -> float:
        """The mean of all u_i: the mean of a perfect entry, before `score` puts it on the scale of scores."""
        return sum(size * self._gain(task) for task, size in self.sizes.items()) / self.reach / self.size

    def units(self, tasks: Sequence[str]) -> Array:
        """u_i of items, from the tasks that they are of."""
        known = {task: self._gain(task) / self.reach for task in self.sizes}
        return np.array([known[task] for task in tasks], dtype=np.float64)

    def score(self, mean: float) -> float:
        """θ from a mean of u_i s_i."""
        return self.reach * mean - self._offset

    def mean(self, score: float) -> float:
        """The mean of u_i s_i that has the score θ."""
        return (score + self._offset) / self.reach

    @cached_property
    def _offset(self) -> float:
        floors = [check_chance(self.chances.get(task)) for task in self.sizes]
        return sum(floor / (1 - floor) for floor in floors) / len(floors)

    def _gain(self, task: str) -> float:
        share = self.size / (len(self.sizes) * self.sizes[task])
        return share / (1 - check_chance(self.chances.get(task)))
