"""The metrics of generated training data: what it brings to the standard classifier.

| name            | value of an episode                                                            | over a run |
|-----------------|--------------------------------------------------------------------------------|------------|
| `gain`          | accuracy when trained on seeds and generated texts − accuracy of seeds alone   | mean       |
| `augmented_acc` | accuracy on the episode's evaluation texts, trained on seeds and generated     | mean       |
| `seed_acc`      | the same, trained on the seeds alone                                           | mean       |
| `usable_share`  | share of generated texts that are not empty and stand neither among the seeds  | mean       |
|                 | nor among those before                                                         |            |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tianti.tasks.metric_rule import MetricRule, mean

if TYPE_CHECKING:
    from tianti.stats.intervals import Interval


def gain_interval(values: Sequence[float], clusters: Sequence[str] | None) -> Interval:
    """That of a mean of differences within episodes."""
    from tianti.stats.intervals import difference_interval

    return difference_interval(list(values), clusters)


GAIN = MetricRule(
    "gain", mean, "mean", "accuracy won by generated training texts", scale="mean", interval=gain_interval
)
AUGMENTATION_METRICS = (
    GAIN,
    MetricRule("augmented_acc", mean, "mean", "accuracy with seeds and generated texts", scale="mean"),
    MetricRule("seed_acc", mean, "mean", "accuracy with the seeds alone", scale="mean"),
    MetricRule(
        "usable_share", mean, "mean", "share of generated texts that are new and not empty", scale="mean"
    ),
)
