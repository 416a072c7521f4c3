"""How sure a number is: intervals, paired comparisons, macro-averages and ranks. Pure numpy and scipy.

Unless a docstring says otherwise the target is *new items of the same kind*: sampling error remains even when
every item of a benchmark was asked. Tasks and seeds are taken as given, not as drawn from a larger set.
"""

from tianti.stats.aggregates import AGGREGATES, Aggregate, AggregateName, aggregate, places_of
from tianti.stats.bootstrap import bca_interval
from tianti.stats.continual import (
    StreamTask,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    learning_accuracy,
)
from tianti.stats.gap import Gap, Group, gap, gaps
from tianti.stats.intervals import Interval, clopper_pearson, mean_interval, mean_over_repeats, wilson
from tianti.stats.latent import LatentIndex, latent_index
from tianti.stats.macro import TaskValues, macro_interval
from tianti.stats.max_t import max_t_intervals
from tianti.stats.normalise import normalise, normalised_mean
from tianti.stats.pair_sums import TaskMatrix
from tianti.stats.paired import Difference, TaskPair, holm_adjusted, paired_difference
from tianti.stats.pairs import p_values_of, pairwise_p_values, with_entry
from tianti.stats.ranks import MarginalRank, RankIntervals, holm, marginal_rank, rank_intervals
from tianti.stats.resampling import ResampledPlaces, normalised_means, resampled_places
from tianti.stats.selection import Unseating, fewest_items_to_unseat, picked_level
from tianti.stats.stability import Agreement, Stability, WeightRange, stability
from tianti.stats.weight_change import WeightChange, smallest_change

__all__ = [
    "AGGREGATES",
    "Aggregate",
    "AggregateName",
    "Agreement",
    "Difference",
    "Gap",
    "Group",
    "Interval",
    "LatentIndex",
    "MarginalRank",
    "RankIntervals",
    "ResampledPlaces",
    "Stability",
    "StreamTask",
    "TaskMatrix",
    "TaskPair",
    "TaskValues",
    "Unseating",
    "WeightChange",
    "WeightRange",
    "aggregate",
    "average_accuracy",
    "backward_transfer",
    "bca_interval",
    "clopper_pearson",
    "fewest_items_to_unseat",
    "forgetting",
    "forward_transfer",
    "gap",
    "gaps",
    "holm",
    "holm_adjusted",
    "latent_index",
    "learning_accuracy",
    "macro_interval",
    "marginal_rank",
    "max_t_intervals",
    "mean_interval",
    "mean_over_repeats",
    "normalise",
    "normalised_mean",
    "normalised_means",
    "p_values_of",
    "paired_difference",
    "pairwise_p_values",
    "picked_level",
    "places_of",
    "rank_intervals",
    "resampled_places",
    "smallest_change",
    "stability",
    "wilson",
    "with_entry",
]
