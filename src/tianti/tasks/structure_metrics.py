"""The metrics of tagged entities, of relations and of pairs: counts of each sample, one figure over a run.

| name                  | value of a sample                       | over a run                                     |
|-----------------------|-----------------------------------------|------------------------------------------------|
| `span_f1`             | [right, claimed, there] entities        | 2·Σ right / (Σ claimed + Σ there)              |
| `span_precision`      | the same                                | Σ right / Σ claimed                            |
| `span_recall`         | the same                                | Σ right / Σ there                              |
| `relation_f1`         | [relation, direction, the same claimed] | mean over the relations of F1, with direction  |
| `relation_micro_f1`   | the same                                | F1 over all relations, with direction          |
| `undirected_f1`       | the same                                | as `relation_f1`, whatever the direction       |
| `undirected_micro_f1` | the same                                | as `relation_micro_f1`, whatever the direction |
| `mcc`                 | [right label, predicted label]          | Matthews' correlation                          |

An entity is right when its words and its type are (seqeval, strict IOB2, micro average). `relation_f1` is the official
score of SemEval-2010 task 8 (Hendrickx et al. 2010): the (9+1)-way macro F1 with directionality taken into account,
in which "no relation" has no F1 of its own, a right relation of the wrong direction is claimed and not right, and the
mean is over the relations that occur. A figure without anything to count is 0. `mcc` is R_K of Gorodkin (2004), which
is Matthews' (1975) for two labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tianti.tasks.metric_rule import MetricRule

if TYPE_CHECKING:
    from tianti.stats.draws import Draws

NO_RELATION = -1
"""The number of "no relation" in a sample's values."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def span_f1(values: Sequence[Sequence[int]]) -> float:
    """2·Σ right / (Σ claimed + Σ there) over [right, claimed, there]; 0 where nothing is claimed or there."""
    return _span_f1(*_sums(values))


def span_precision(values: Sequence[Sequence[int]]) -> float:
    """Σ right / Σ claimed; 0 where nothing is claimed."""
    return _span_precision(*_sums(values))


def span_recall(values: Sequence[Sequence[int]]) -> float:
    """Σ right / Σ there; 0 where nothing is there."""
    return _span_recall(*_sums(values))


def relation_f1(values: Sequence[Sequence[int]]) -> float:
    """Mean F1 of the relations that occur on either side; a right relation in the wrong direction is not right."""
    return _macro(*_relation_counts(values, directed=True))


def undirected_f1(values: Sequence[Sequence[int]]) -> float:
    """Mean F1 of the relations that occur on either side, whatever their direction."""
    return _macro(*_relation_counts(values, directed=False))


def relation_micro_f1(values: Sequence[Sequence[int]]) -> float:
    """F1 over all relations together; a right relation in the wrong direction is not right."""
    right, total = _relation_counts(values, directed=True)
    return _ratio(2 * int(right.sum()), int(total.sum()))


def undirected_micro_f1(values: Sequence[Sequence[int]]) -> float:
    """F1 over all relations together, whatever their direction."""
    right, total = _relation_counts(values, directed=False)
    return _ratio(2 * int(right.sum()), int(total.sum()))


def matthews(values: Sequence[Sequence[int]]) -> float:
    """R_K = (c·s − Σ pₖtₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)) from (right, predicted) pairs; 0 where one side has one label.

    c pairs of s agree, and label k is predicted pₖ and right tₖ times.
    """
    pairs = np.asarray(values, dtype=np.int64).reshape(-1, 2)
    labels, codes = np.unique(pairs, return_inverse=True)
    gold, predicted = codes.reshape(-1, 2).T
    there, claimed = (np.bincount(side, minlength=len(labels)) for side in (gold, predicted))
    products = (int(left @ right) for left, right in ((claimed, there), (claimed, claimed), (there, there)))
    return _matthews(len(pairs), int((gold == predicted).sum()), *products)


def matthews_over(values: Sequence[Sequence[int]], draws: Draws) -> list[float]:
    """`matthews` of each draw."""
    pairs = np.asarray(values, dtype=np.int64).reshape(-1, 2)
    labels, codes = np.unique(pairs, return_inverse=True)
    gold, predicted = codes.reshape(-1, 2)[draws.items].T
    there, claimed = (draws.counts(side, len(labels)) for side in (gold, predicted))
    right = draws.counts((gold == predicted).astype(np.intp), 2)[:, 1]
    products = (
        (left * right).sum(axis=1) for left, right in ((claimed, there), (claimed, claimed), (there, there))
    )
    columns = (draws.sizes, right, *products)
    return [_matthews(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _matthews(n: int, right: int, covered: int, claimed: int, there: int) -> float:
    """From how many of `n` agree and the sums over the labels of pₖtₖ, pₖ² and tₖ²."""
    covariance = right * n - covered
    spread = (n * n - claimed) * (n * n - there)
    return covariance / math.sqrt(spread) if spread else 0.0


def _span_f1(right: int, claimed: int, there: int) -> float:
    return _ratio(2 * right, claimed + there)


def _span_precision(right: int, claimed: int, there: int) -> float:
    return _ratio(right, claimed)


def _span_recall(right: int, claimed: int, there: int) -> float:
    return _ratio(right, there)


def _spans_over(
    values: Sequence[Sequence[int]], draws: Draws, figure: Callable[[int, int, int], float]
) -> list[float]:
    """A figure of entities of each draw."""
    sums = draws.sums(np.asarray(values, dtype=np.int64).reshape(-1, 3))
    return [figure(*row) for row in sums.tolist()]


def _sums(values: Sequence[Sequence[int]]) -> tuple[int, int, int]:
    right, claimed, there = np.asarray(values, dtype=np.int64).reshape(-1, 3).sum(axis=0).tolist()
    return right, claimed, there


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _relation_counts(values: Sequence[Sequence[int]], *, directed: bool) -> tuple[Ints, Ints]:
    """For each relation that occurs how often it is right, and how often it is there plus how often it is claimed."""
    rows = np.asarray(values, dtype=np.int64).reshape(-1, 4)
    gold, claimed = rows[:, 0], rows[:, 2]
    right = gold == claimed
    if directed:
        right &= rows[:, 1] == rows[:, 3]
    count = int(max(gold.max(initial=0), claimed.max(initial=0))) + 1
    hits = np.bincount(gold[right & (gold != NO_RELATION)], minlength=count)
    there, asked = (np.bincount(side[side != NO_RELATION], minlength=count) for side in (gold, claimed))
    total = there + asked
    occurs = total > 0
    return hits[occurs], total[occurs]


def _relations_over(
    values: Sequence[Sequence[int]], draws: Draws, *, directed: bool, macro: bool
) -> Floats | list[float]:
    """A figure of relations of each draw."""
    from tianti.stats.draws import row_means

    rows = np.asarray(values, dtype=np.int64).reshape(-1, 4)[draws.items]
    # From 0 on, which is "no relation" and counted in a column that is left out.
    gold, claimed = rows[:, 0] - NO_RELATION, rows[:, 2] - NO_RELATION
    same = gold == claimed
    if directed:
        same &= rows[:, 1] == rows[:, 3]
    kinds = int(max(gold.max(initial=0), claimed.max(initial=0))) + 1
    right = draws.counts(np.where(same, gold, 0), kinds)[:, 1:]
    total = (draws.counts(gold, kinds) + draws.counts(claimed, kinds))[:, 1:]
    if not macro:
        sums = zip((2 * right.sum(axis=1)).tolist(), total.sum(axis=1).tolist(), strict=True)
        return [_ratio(*pair) for pair in sums]
    occurs = total > 0
    found = row_means(2 * right / np.maximum(total, 1), occurs)
    return np.where(occurs.any(axis=1), found, 0.0)


def _macro(right: Ints, total: Ints) -> float:
    return float(np.mean(2 * right / total)) if len(total) else 0.0


SPAN_F1 = MetricRule(
    "span_f1",
    span_f1,
    "span_f1",
    "F1 of the entities, words and type",
    scale="ratio",
    over_draws=partial(_spans_over, figure=_span_f1),
)
SPAN_PRECISION = MetricRule(
    "span_precision",
    span_precision,
    "span_precision",
    "share of claimed entities that are right",
    scale="ratio",
    over_draws=partial(_spans_over, figure=_span_precision),
)
SPAN_RECALL = MetricRule(
    "span_recall",
    span_recall,
    "span_recall",
    "share of the entities that are found",
    scale="ratio",
    over_draws=partial(_spans_over, figure=_span_recall),
)
RELATION_F1 = MetricRule(
    "relation_f1",
    relation_f1,
    "relation_f1",
    "mean over the relations of their F1, with direction",
    scale="ratio",
    over_draws=partial(_relations_over, directed=True, macro=True),
)
RELATION_MICRO_F1 = MetricRule(
    "relation_micro_f1",
    relation_micro_f1,
    "relation_micro_f1",
    "F1 over all relations, with direction",
    scale="ratio",
    over_draws=partial(_relations_over, directed=True, macro=False),
)
UNDIRECTED_F1 = MetricRule(
    "undirected_f1",
    undirected_f1,
    "undirected_f1",
    "mean over the relations of their F1, without direction",
    scale="ratio",
    over_draws=partial(_relations_over, directed=False, macro=True),
)
UNDIRECTED_MICRO_F1 = MetricRule(
    "undirected_micro_f1",
    undirected_micro_f1,
    "undirected_micro_f1",
    "F1 over all relations, without direction",
    scale="ratio",
    over_draws=partial(_relations_over, directed=False, macro=False),
)
MCC = MetricRule(
    "mcc",
    matthews,
    "mcc",
    "Matthews' correlation of right and predicted labels",
    scale="ratio",
    over_draws=matthews_over,
)
STRUCTURE_METRICS = (
    SPAN_F1,
    SPAN_PRECISION,
    SPAN_RECALL,
    RELATION_F1,
    RELATION_MICRO_F1,
    UNDIRECTED_F1,
    UNDIRECTED_MICRO_F1,
    MCC,
)
