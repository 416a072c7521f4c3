"""What an item is worth where answers may be missing: the least and the greatest value that it can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tianti.core.exceptions import IncompatibleError
from tianti.evaluation.answer import Answer

Bounds = Mapping[str, tuple[float, float]]
"""By sample: the least and the greatest mean in [0, 1] of its answers."""


def bounds_of(answers: Iterable[Answer], metric: str) -> Bounds:
    """The bounds of every sample that was asked: equal where all its repeats could be scored.

    An answer in error or skipped may be worth anything from 0 to 1.

    Raises:
        IncompatibleError: a value is not in [0, 1].
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for answer in answers:
        value = answer.values.get(metric) if answer.state == "ok" else None
        if value is not None and not 0 <= value <= 1:
            raise IncompatibleError(
                f"{metric} of sample {answer.sample_id} is {value}: only values from 0 to 1 can be bet on",
                remedy="run this task without --until",
            )
        found.setdefault(answer.sample_id, []).append((0.0, 1.0) if value is None else (float(value),) * 2)
    return {sample: _mean(pairs) for sample, pairs in found.items()}


def mean_bounds(trials: Sequence[Bounds], sample: str) -> tuple[float, float]:
    """The bounds of a sample over several trials (seeds), of which each was asked it."""
    return _mean([bounds[sample] for bounds in trials])


def _mean(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    low, high = np.mean(np.array(pairs), axis=0)
    return float(low), float(high)
