"""The calibration error and its null of many draws of the same forecasts at once, bit for bit those of each draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tianti.stats.calibration import BINS, forecasts, mean_deviation
from tianti.stats.draws import Draws, Indices, row_sums
from tianti.stats.moments import Array


@dataclass(frozen=True)
class BinnedDraws:
    """Draws of forecasts `p` with outcomes `y`, and the bin of each drawn one; a draw's bins are numbered with gaps."""

    p: Array
    y: Array
    draws: Draws
    places: Indices
    bins: int = BINS

    def errors(self) -> Array:
        """`calibration_error` of each draw."""
        off = (self.p - self.y)[self.draws.items]
        summed = np.abs(self.draws.counts(self.places, self.bins, off))
        return row_sums(summed, self._sizes() > 0) / self.draws.sizes

    def nulls(self) -> Array:
        """`expected_null` of each draw."""
        sizes = self._sizes()
        kept = sizes > 0
        filled = np.where(kept, sizes, 1.0)
        mean = self.draws.counts(self.places, self.bins, self.p[self.draws.items]) / filled
        return row_sums(mean_deviation(filled, np.clip(mean, 0.0, 1.0)), kept) / self.draws.sizes

    def _sizes(self) -> Array:
        return self.draws.counts(self.places, self.bins).astype(np.float64)


def binned(
    probabilities: Sequence[float] | Array, outcomes: Sequence[float] | Array, draws: Draws, bins: int = BINS
) -> BinnedDraws:
    """Each draw in bins of equal mass: ⌊bins · r / n⌋, r being the mean rank from 0 of a draw's equal forecasts.

    Raises:
        InputError: there are no forecasts, or one is no probability with an outcome of 0 or 1.
    """
    p, y = forecasts(probabilities, outcomes)
    values, codes = np.unique(p, return_inverse=True)
    codes = codes[draws.items]
    counts = draws.counts(codes, len(values))
    first = np.cumsum(counts, axis=1) - counts
    place = bins * (2 * first + counts - 1) // (2 * draws.sizes[:, None])
    return BinnedDraws(p, y, draws, place[draws.rows, codes], bins)
