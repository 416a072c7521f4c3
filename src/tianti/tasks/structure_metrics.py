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
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tianti.tasks.metric_rule import MetricRule

NO_RELATION = -1
"""The number of "no relation" in a sample's values."""

Ints = NDArray[np.int64]


def span_f1(values: Sequence[Sequence[int]]) -> float:
    """2·Σ right / (Σ claimed + Σ there) over [right, claimed, there]; 0 where nothing is claimed or there."""
    right, claimed, there = _sums(values)
    return _ratio(2 * right, claimed + there)


def span_precision(values: Sequence[Sequence[int]]) -> float:
    """Σ right / Σ claimed; 0 where nothing is claimed."""
    right, claimed, _ = _sums(values)
    return _ratio(right, claimed)


def span_recall(values: Sequence[Sequence[int]]) -> float:
    """Σ right / Σ there; 0 where nothing is there."""
    right, _, there = _sums(values)
    return _ratio(right, there)


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
    n = len(pairs)
    covariance = int((gold == predicted).sum()) * n - int(claimed @ there)
    spread = (n * n - int(claimed @ claimed)) * (n * n - int(there @ there))
    return covariance / math.sqrt(spread) if spread else 0.0


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


def _macro(right: Ints, total: Ints) -> float:
    return float(np.mean(2 * right / total)) if len(total) else 0.0


SPAN_F1 = MetricRule("span_f1", span_f1, "span_f1", "F1 of the entities, words and type", scale="ratio")
SPAN_PRECISION = MetricRule(
    "span_precision",
    span_precision,
    "span_precision",
    "share of claimed entities that are right",
    scale="ratio",
)
SPAN_RECALL = MetricRule(
    "span_recall", span_recall, "span_recall", "share of the entities that are found", scale="ratio"
)
RELATION_F1 = MetricRule(
    "relation_f1",
    relation_f1,
    "relation_f1",
    "mean over the relations of their F1, with direction",
    scale="ratio",
)
RELATION_MICRO_F1 = MetricRule(
    "relation_micro_f1",
    relation_micro_f1,
    "relation_micro_f1",
    "F1 over all relations, with direction",
    scale="ratio",
)
UNDIRECTED_F1 = MetricRule(
    "undirected_f1",
    undirected_f1,
    "undirected_f1",
    "mean over the relations of their F1, without direction",
    scale="ratio",
)
UNDIRECTED_MICRO_F1 = MetricRule(
    "undirected_micro_f1",
    undirected_micro_f1,
    "undirected_micro_f1",
    "F1 over all relations, without direction",
    scale="ratio",
)
MCC = MetricRule("mcc", matthews, "mcc", "Matthews' correlation of right and predicted labels", scale="ratio")
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
