"""Testing by betting on items that are drawn from a finite bank without replacement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

STAKES = (0.02, 0.04, 0.08, 0.16, 0.32, 0.6)
"""The λ of the mixture: small ones win on small differences late, large ones on large differences early."""

MOST_STAKED = 0.95
"""The share of its wealth that a bet may lose."""

ROUNDING = 1e-9
"""A sum that misses a bound by less than this is on it."""

_CHUNK = 64
"""Items whose factors are multiplied before their logarithm is taken: 0.05⁶⁴ is still a float."""


class Bets:
    """Many e-processes side by side, each for a hypothesis "the mean of the bank is at most m".

    With N items in random order, sum S so far and R = N m − S left over, the hypothesis says that the next draw is
    μ_t = R/(N − t + 1) on average, or less. Then E_t = mean over λ of Π_s [1 + λ_s (z_s − μ_s)] has an expectation
    of at most 1 at any time, with λ_s = min(λ, 0.95/(μ_s − b)) for draws z ≥ b (Waudby-Smith and Ramdas 2020,
    "Confidence sequences for sampling without replacement", and 2024, "Estimating means of bounded random
    variables by betting"). So E ever reaches 1/α with a probability of at most α (Ville's inequality), however
    often one looks.

    Where what is left over is less than the smallest sum that the remaining items can have the hypothesis is
    impossible, and E = ∞. That comparison is strict: on it the hypothesis may be true, as it is at the end of two
    exactly tied banks.

    E falls as m grows, on every path: what rejects "at most m" rejects "at most m′" for every m′ < m too.
    """

    def __init__(self, limits: Array, size: int | None) -> None:
        """Args:
        limits: m of each hypothesis. size: N; None for draws from without end, where μ_t = m.
        """
        self._limits = np.asarray(limits, dtype=np.float64)
        self._size = size
        self._left = self._limits * (size or 0)
        self._logs = np.zeros((len(self._limits), len(STAKES)))
        self.best: Array = np.zeros(len(self._limits))
        """log of the greatest E so far, of each hypothesis; E starts at 1."""

    @property
    def now(self) -> Array:
        """log E of each hypothesis at this moment, by the bets alone."""
        logs: Array = np.logaddexp.reduce(self._logs - np.log(len(STAKES)), axis=1)
        return logs

    def take_out(self, total: float) -> None:
        """From here on the draws are less by a prediction each, and those of the remaining items sum up to `total`."""
        self._left -= total

    def draw(
        self,
        draws: Array,
        asked: int,
        *,
        least: float,
        remaining: Array | None = None,
        which: NDArray[np.intp] | None = None,
    ) -> None:
        """Bet on the next items.

        Args:
            draws: shape (hypotheses, items), or (items,) where all bet on the same. asked: how many items were drawn
                before. least: no draw is smaller; known before these items were drawn. remaining: the smallest sum
                that the items not yet drawn can have, behind each item. which: the hypotheses that bet; all by
                default.

        Raises:
            InputError: a draw is less than `least`, or more items were drawn than there are.
        """
        rows = np.arange(len(self._limits)) if which is None else which
        items = draws.shape[-1]
        if not items or not len(rows):
            return
        if float(draws.min()) < least - ROUNDING:
            raise InputError(f"a draw of {float(draws.min())} is less than {least}, the least possible")
        if self._size is not None and asked + items > self._size:
            raise InputError(f"{asked + items} items were drawn from a bank of {self._size}")
        for start in range(0, items, _CHUNK):
            part = slice(start, min(start + _CHUNK, items))
            after = None if remaining is None else remaining[part]
            self._bet(rows, np.atleast_2d(draws[..., part]), asked + start, least, after)

    def _bet(
        self, rows: NDArray[np.intp], draws: Array, asked: int, least: float, remaining: Array | None
    ) -> None:
        count = draws.shape[1]
        if self._size is None:
            after, mean = None, self._limits[rows, None]
        else:
            after = self._left[rows, None] - np.cumsum(draws, axis=1)
            mean = (after + draws) / (self._size - asked - np.arange(count))
        # A mean below the least possible is told by `remaining`; here it must only not turn the bet around.
        most = MOST_STAKED / np.maximum(mean - least, 1e-12)
        beyond = draws - mean
        base = self._logs[rows].max(axis=1)
        shares = np.exp(self._logs[rows] - base[:, None]) / len(STAKES)
        wealth = np.zeros(np.broadcast_shapes(draws.shape, mean.shape))
        with np.errstate(over="ignore"):
            for number, stake in enumerate(STAKES):
                grown = np.cumprod(1 + np.minimum(stake, most) * beyond, axis=1)
                wealth += shares[:, number, None] * grown
                self._logs[rows, number] += np.log(grown[:, -1])
            reached = base + np.log(wealth.max(axis=1))
        if after is not None:
            if remaining is not None:
                reached[(after < remaining - ROUNDING).any(axis=1)] = np.inf
            self._left[rows] = after[:, -1]
        self.best[rows] = np.maximum(self.best[rows], reached)
