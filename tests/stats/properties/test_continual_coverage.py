"""Forgetting's intervals hold the truth as often as they say, also where the best stage is a matter of luck."""

import numpy as np
import pytest
from scipy.special import ndtri

from replicates import replicates
from tianti.stats import StreamTask, forgetting

COMMON = 0.8
"""The share of an item's luck that is the same after every stage."""


def _stream(rng: np.random.Generator, scores: list[float], tasks: int, items: int) -> list[StreamTask]:
    bound = ndtri(np.asarray(scores))[:, None]
    return [
        StreamTask(
            (
                np.sqrt(COMMON) * rng.normal(size=items)
                + np.sqrt(1 - COMMON) * rng.normal(size=(len(scores), items))
                < bound
            ).astype(float),
            0,
        )
        for _ in range(tasks)
    ]


@pytest.mark.parametrize("scores", [[0.7] * 5, [0.7, 0.7, 0.7, 0.7, 0.5], [0.8, 0.7, 0.65, 0.6, 0.5]])
def test_coverage(scores):
    rng, count = np.random.default_rng(0), replicates(2000)
    covered, naive = {"first": 0, "best": 0}, 0
    lost = {"first": scores[0] - scores[-1], "best": max(scores[:-1]) - scores[-1]}
    for _ in range(count):
        stream = _stream(rng, scores, 5, 100)
        for definition in ("first", "best"):
            found = forgetting(stream, definition, draws=1000)
            covered[definition] += found.low <= lost[definition] <= found.high
        # Around the best stage as if it had been named before looking.
        best = [int(task.values[:-1].sum(axis=1).argmax()) for task in stream]
        chosen = [StreamTask(task.values, stage) for task, stage in zip(stream, best, strict=True)]
        found = forgetting(chosen)
        naive += found.low <= lost["best"] <= found.high
    slack = 3 * np.sqrt(0.95 * 0.05 / count)
    assert abs(covered["first"] / count - 0.95) <= slack + 0.01
    assert covered["best"] / count >= 0.95 - slack
    if scores[0] == scores[3]:
        assert naive / count < 0.9, "taking the best stage for one that was named before would do as well"
