"""What a metric is before it meets a task."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tianti.tasks.task import IntervalOf, Metric, OverDrawsOf

Aggregate = Callable[[Sequence[Any]], float]


Aspect = Literal["", "calibration", "robustness", "order", "fairness"]
"""What a metric says of answers besides how good they are; empty for what says just that."""


@dataclass(frozen=True)
class MetricRule:
    """A metric before it meets a task. `version` is part of every task's fingerprint: raise it when numbers change."""

    name: str
    aggregate: Aggregate
    aggregation: str
    summary: str
    higher_is_better: bool = True
    scale: Literal["proportion", "mean", "ratio"] = "proportion"
    version: int = 1
    aspect: Aspect = ""
    needs: str = ""
    """The key of the task file without which there is nothing to measure."""
    interval: IntervalOf | None = None
    """Makes the interval where none of those of `scale` fits."""
    over_draws: OverDrawsOf | None = None
    """What `aggregate` gives for each of many samples at once, bit for bit, where that is quicker."""
    signed: bool = False
    """Whether 0 is best, and the sign says in whose favour it is off."""

    def metric(self, chance: float | None = None, signature: str = "") -> Metric:
        return Metric(
            self.name,
            self.aggregate,
            self.higher_is_better,
            chance,
            self.scale,
            self.interval,
            self.over_draws,
            signature,
        )


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value; exact sums, so the order does not matter."""
    return math.fsum(values) / len(values)
