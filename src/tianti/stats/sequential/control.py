"""Predictions of an entry's answers from those of others: a control variate, which narrows and cannot bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


@dataclass(frozen=True)
class Control:
    """`predicted`: for every item of the bank, in the committed order, a value in [0, 1]; fixed after `start` items.

    `units` are those of the items (`Bank.units`).
    """

    predicted: Array
    units: Array
    start: int


def fit_control(others: Array, values: Array, units: Array) -> Control:
    """Predict an entry's values by ridge regression on those of others, from its first items.

    The penalty is the one of `PENALTIES` that errs least where each of these items is left out in turn (Allen 1974,
    PRESS, in closed form by the singular value decomposition).

    Args:
        others: shape (others, N), values in [0, 1] of all items. values: shape (n,), those of the first n items.

    Raises:
        InputError: no items, or no others, to learn from.
    """
    count = len(values)
    if not count or not len(others):
        raise InputError(
            "nothing to learn predictions from", remedy="give answers of others and the first of its own"
        )
    centre = others[:, :count].mean(axis=1, keepdims=True)
    known, every = (others[:, :count] - centre).T, (others - centre).T
    mean = float(values.mean())
    left, sizes, right = np.linalg.svd(known, full_matrices=False)
    on = left.T @ (values - mean)
    best: tuple[float, Array] | None = None
    for penalty in PENALTIES:
        shrunk = sizes**2 / (sizes**2 + penalty)
        influence = np.square(left) @ shrunk + 1 / count
        errors = (values - mean - left @ (shrunk * on)) / np.maximum(1 - influence, 1e-9)
        wrong = float(np.square(errors).mean())
        if best is None or wrong < best[0]:
            best = wrong, right.T @ (sizes / (sizes**2 + penalty) * on)
    assert best is not None
    return Control(np.clip(mean + every @ best[1], 0.0, 1.0), units, count)
