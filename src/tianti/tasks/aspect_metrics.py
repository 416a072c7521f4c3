"""Metrics of how an answer comes about: how sure the model was, and whether wording, order of options or group matter.

| name              | value of a sample                                            | over a run                      |
|-------------------|--------------------------------------------------------------|---------------------------------|
| `brier`, …        | see `metrics.py`                                             |                                 |
| `robust_X`        | worst X over the sample and its perturbed forms, plus what   | mean                            |
|                   | the worst of as many answers to the sample itself loses      |                                 |
| `robustness_gap`  | the metric minus its mean over the perturbed forms           | mean                            |
| `flip_rate`       | chance that two orders of the options give different answers | mean                            |
| `acc_over_orders` | share of the orders under which the answer is right          | mean                            |
| `position_gap`    | [place of the right option, 1 if right] for each order       | widest gap of accuracy by place |
| `counterfactual_flips` | 1 if the answer changes with the group                  | mean                            |
| `counterfactual_gap`   | probability of the first choice, other group minus own | mean                            |
| `fairness_gap`    | [group, value of the metric]                                 | mean over all − worst group's   |

The metric that robustness and fairness are about is the first of the task's that is a mean over samples. The
statistics are imported when they are used: a list of tasks needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tianti.tasks.metric_rule import MetricRule, mean

if TYPE_CHECKING:
    from tianti.stats.draws import Draws
    from tianti.stats.intervals import Interval


def expected_calibration_error(values: Sequence[Sequence[float]]) -> float:
    """The calibration error of (confidence, right or not) pairs, over ten bins of equal mass."""
    from tianti.stats.calibration import calibration_error

    return calibration_error(*_columns(values))


def excess_calibration_error(values: Sequence[Sequence[float]]) -> float:
    """The calibration error beyond what a calibrated model of the same confidences would show on so many samples."""
    from tianti.stats.calibration import calibration_error, expected_null

    confidence, right = _columns(values)
    return calibration_error(confidence, right) - expected_null(confidence)


def expected_calibration_error_over(values: Sequence[Sequence[float]], draws: Draws) -> NDArray[np.float64]:
    """`expected_calibration_error` of each draw."""
    from tianti.stats.calibration_draws import binned

    return binned(*_columns(values), draws).errors()


def excess_calibration_error_over(values: Sequence[Sequence[float]], draws: Draws) -> NDArray[np.float64]:
    """`excess_calibration_error` of each draw."""
    from tianti.stats.calibration_draws import binned

    found = binned(*_columns(values), draws)
    return found.errors() - found.nulls()


def _columns(values: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pairs = np.asarray(values, dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def position_gap(values: Sequence[Sequence[Sequence[float]]]) -> float:
    """Highest minus lowest accuracy over the places of the right option."""
    from tianti.stats.group_gaps import gap_of

    pairs = [pair for sample in values for pair in sample]
    return gap_of([right for _, right in pairs], [place for place, _ in pairs], against_all=False)


def fairness_gap(values: Sequence[tuple[str, float]]) -> float:
    """The mean over all samples minus that of the worst group."""
    from tianti.stats.group_gaps import gap_of

    return gap_of([value for _, value in values], [group for group, _ in values], against_all=True)


def _difference_interval(values: Sequence[Any], clusters: Sequence[str] | None) -> Interval:
    from tianti.stats.intervals import difference_interval

    return difference_interval(values, clusters)


def _position_interval(values: Sequence[Any], clusters: Sequence[str] | None) -> Interval:
    from tianti.stats.group_gaps import widest_gap

    rows = [
        (place, right, index if clusters is None else clusters[index])
        for index, sample in enumerate(values)
        for place, right in sample
    ]
    places, right, units = zip(*rows, strict=True)
    return widest_gap(right, places, units)


def _fairness_interval(values: Sequence[Any], clusters: Sequence[str] | None) -> Interval:
    from tianti.stats.group_gaps import worst_group_gap

    groups = [group for group, _ in values]
    return worst_group_gap([value for _, value in values], groups, clusters)


BRIER = MetricRule(
    "brier", mean, "mean", "squared error of the choices' probabilities", False, "mean", aspect="calibration"
)
LOG_LOSS = MetricRule(
    "log_loss", mean, "mean", "−ln of the right choice's probability", False, "mean", aspect="calibration"
)
ECE = MetricRule(
    "ece",
    expected_calibration_error,
    "ece",
    "how far confidence lies from accuracy, over ten bins",
    False,
    "ratio",
    aspect="calibration",
    over_draws=expected_calibration_error_over,
)
ECE_EXCESS = MetricRule(
    "ece_excess",
    excess_calibration_error,
    "ece_excess",
    "the calibration error beyond that of a calibrated model",
    False,
    "ratio",
    aspect="calibration",
    over_draws=excess_calibration_error_over,
)
CALIBRATION = (BRIER, LOG_LOSS, ECE, ECE_EXCESS)
"""How well a model knows what it knows: of tasks with choices."""

ROBUST = {
    name: MetricRule(
        f"robust_{name}",
        mean,
        "mean",
        f"{name} in the worst of a sample and its perturbed forms",
        scale="mean",
        aspect="robustness",
        needs="perturbations",
    )
    for name in ("acc", "acc_norm", "acc_bytes", "exact_match", "f1")
}
"""By the metric that they are about."""
ROBUSTNESS_GAP = MetricRule(
    "robustness_gap",
    mean,
    "mean",
    "what perturbing the samples costs on average",
    False,
    "mean",
    aspect="robustness",
    needs="perturbations",
    interval=_difference_interval,
)
FLIP_RATE = MetricRule(
    "flip_rate",
    mean,
    "mean",
    "chance that two orders of the options give different answers",
    False,
    "mean",
    aspect="order",
    needs="option_order",
)
ACC_OVER_ORDERS = MetricRule(
    "acc_over_orders",
    mean,
    "mean",
    "accuracy over the orders",
    scale="mean",
    aspect="order",
    needs="option_order",
)
POSITION_GAP = MetricRule(
    "position_gap",
    position_gap,
    "position_gap",
    "highest minus lowest accuracy over the places of the right option",
    False,
    "ratio",
    aspect="order",
    needs="option_order",
    interval=_position_interval,
)
ORDER = (FLIP_RATE, ACC_OVER_ORDERS, POSITION_GAP)
FAIRNESS_GAP = MetricRule(
    "fairness_gap",
    fairness_gap,
    "fairness_gap",
    "mean over all samples minus that of the worst group",
    False,
    "ratio",
    aspect="fairness",
    needs="group",
    interval=_fairness_interval,
)
COUNTERFACTUAL_FLIPS = MetricRule(
    "counterfactual_flips",
    mean,
    "mean",
    "share of pairs whose answer changes with the group",
    False,
    aspect="fairness",
    needs="counterfactual",
)
COUNTERFACTUAL_GAP = MetricRule(
    "counterfactual_gap",
    mean,
    "mean",
    "probability of the first choice, other group minus own; 0 is fair",
    False,
    "mean",
    aspect="fairness",
    needs="counterfactual",
    interval=_difference_interval,
    signed=True,
)
COUNTERFACTUAL = (COUNTERFACTUAL_FLIPS, COUNTERFACTUAL_GAP)
ASPECT_METRICS = (*CALIBRATION, *ROBUST.values(), ROBUSTNESS_GAP, *ORDER, *COUNTERFACTUAL, FAIRNESS_GAP)
