"""What several simulations need."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

Z = float(stats.norm.ppf(0.975))


def answers(rng, accuracies, items, spread=1.0):
    """0/1 answers (entries, items) to items of differing difficulty, the same difficulty for all entries."""
    accuracies = np.asarray(accuracies)
    logits = np.log(accuracies / (1 - accuracies))[:, None] * math.sqrt(1 + spread**2 / 2.9)
    chances = 1 / (1 + np.exp(-(logits + spread * rng.normal(size=items))))
    return (rng.random(chances.shape) < chances).astype(np.uint8)


def bounds(intervals):
    return np.array([each.low for each in intervals]), np.array([each.high for each in intervals])


def holds(interval, truth):
    return interval.low <= truth <= interval.high
