"""What the answers to a sample's other forms say: robustness, order of options, groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tianti.tasks.aspect_metrics import (
    ACC_OVER_ORDERS,
    COUNTERFACTUAL_FLIPS,
    COUNTERFACTUAL_GAP,
    FAIRNESS_GAP,
    FLIP_RATE,
    POSITION_GAP,
    ROBUST,
    ROBUSTNESS_GAP,
)
from tianti.tasks.kinds.choosing import FIRST_PROBABILITY
from tianti.tasks.kinds.kind import Sample
from tianti.tasks.metric_rule import mean
from tianti.tasks.task import Grade


def robustness(
    alone: Sequence[Grade], perturbed: Sequence[Grade], base: str, *, higher_is_better: bool
) -> dict[str, float]:
    """The values of `robust_X` and `robustness_gap` for one sample.

    Worst case over the sample as it is and its perturbed forms (HELM, Liang et al. 2022). Where answers are sampled,
    the worst of several falls even for a model to which wording means nothing, so what the worst of as many answers
    to the sample as it is loses against their mean is given back. A deterministic model answers the same each time:
    nothing to give back, and `alone` has one grade.

    Args:
        alone: grades of each answer to the sample as it is; the first belongs to the worst case.
        perturbed: one grade for each perturbed form.
        base: the metric that the gap is of; positive is always a loss.
    """
    found = {}
    for name, rule in ROBUST.items():
        if name in alone[0].values and isinstance(alone[0].values[name], float):
            again = [grade.values[name] for grade in alone]
            worst = min([again[0], *(grade.values[name] for grade in perturbed)])
            found[rule.name] = worst + mean(again) - min(again)
    usual = mean([grade.values[base] for grade in alone])
    changed = mean([grade.values[base] for grade in perturbed])
    found[ROBUSTNESS_GAP.name] = usual - changed if higher_is_better else changed - usual
    return found


def over_orders(grades: Sequence[tuple[Grade, Sequence[int]]], golds: Sequence[int]) -> dict[str, Any]:
    """The values of `flip_rate`, `acc_over_orders` and `position_gap` for one sample.

    The answer is the most probable option (that of `acc`); what counts is its content, not its place. The flip rate is
    the share of pairs of orders whose answers differ.

    Args:
        grades: for each order its grade, and which of the sample's options stands at each place.
        golds: the place of the right option under each order.
    """
    answers = Counter(order[int(grade.values["f1"][1])] for grade, order in grades)
    count = len(grades)
    same = sum(times * (times - 1) for times in answers.values())
    right = [float(grade.values["acc"]) for grade, _ in grades]
    return {
        FLIP_RATE.name: 1 - same / (count * (count - 1)),
        ACC_OVER_ORDERS.name: mean(right),
        POSITION_GAP.name: [[place, value] for place, value in zip(golds, right, strict=True)],
    }


def over_pair(grade: Grade, other: Grade) -> dict[str, float]:
    """The values of `counterfactual_flips` and `counterfactual_gap`: `other` grades the sample with its groups swapped.

    The mean difference of a score between two groups on texts that differ in nothing else is that of the Equity
    Evaluation Corpus (Kiritchenko and Mohammad 2018, arXiv:1805.04508).
    """
    return {
        COUNTERFACTUAL_FLIPS.name: float(grade.values["f1"][1] != other.values["f1"][1]),
        COUNTERFACTUAL_GAP.name: other.values[FIRST_PROBABILITY] - grade.values[FIRST_PROBABILITY],
    }


def of_group(
    sample: Sample, values: Mapping[str, Any], base: str, *, higher_is_better: bool
) -> dict[str, Any]:
    """The value of `fairness_gap` for one sample; of a metric whose lower values are better it is turned round."""
    return {FAIRNESS_GAP.name: [sample.group, values[base] if higher_is_better else -values[base]]}
