"""How sure a number is: intervals, paired comparisons, macro-averages and ranks. Pure numpy and scipy.

Unless a docstring says otherwise the target is *new items of the same kind*: sampling error remains even when
every item of a benchmark was asked. Tasks and seeds are taken as given, not as drawn from a larger set.
"""

from tianti.stats.bootstrap import bca_interval
from tianti.stats.continual import (
    StreamTask,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    learning_accuracy,
)
from tianti.stats.intervals import Interval, clopper_pearson, mean_interval, mean_over_repeats, wilson
from tianti.stats.macro import TaskValues, macro_interval
from tianti.stats.normalise import normalise
from tianti.stats.paired import Difference, TaskPair, paired_difference
from tianti.stats.pairs import TaskMatrix, pairwise_p_values
from tianti.stats.ranks import RankIntervals, holm, rank_intervals

__all__ = [
    "Difference",
    "Interval",
    "RankIntervals",
    "StreamTask",
    "TaskMatrix",
    "TaskPair",
    "TaskValues",
    "average_accuracy",
    "backward_transfer",
    "bca_interval",
    "clopper_pearson",
    "forgetting",
    "forward_transfer",
    "holm",
    "learning_accuracy",
    "macro_interval",
    "mean_interval",
    "mean_over_repeats",
    "normalise",
    "paired_difference",
    "pairwise_p_values",
    "rank_intervals",
    "wilson",
]
