"""A metric over many draws at once gives, bit for bit, what it gives for each of them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.stats.bootstrap import bca_interval
from tianti.stats.draws import Draws
from tianti.tasks.metrics import METRICS
from tianti.tasks.translation_metrics import translation_values

QUICK = {
    rule.name: rule for rules in METRICS.values() for rule in rules if rule.over_draws and rule.name != "f1"
} | {"f1": METRICS["f1"][0]}


def numbers(count, low, high):
    return st.lists(st.integers(low, high), min_size=count, max_size=count)


LABELS = numbers(2, 0, 12)
COUNTS = st.integers(0, 3).flatmap(
    lambda right: st.tuples(st.just(right), st.integers(right, 5), st.integers(right, 5)).map(list)
)
RELATIONS = st.tuples(st.integers(-1, 9), st.integers(0, 1), st.integers(-1, 9), st.integers(0, 1)).map(list)
TEXTS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "mats", "。"]), max_size=7).map(" ".join)
TRANSLATIONS = st.tuples(TEXTS, TEXTS).map(lambda pair: translation_values(pair[0], [pair[1]], "en"))
CONFIDENCES = st.tuples(
    st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1), st.sampled_from([0.0, 1.0])
).map(list)
VALUES = {
    # A negative prediction stands for no answer.
    "f1": st.tuples(st.integers(0, 12), st.integers(-1, 12)).map(list),
    "mcc": LABELS,
    **dict.fromkeys(("span_f1", "span_precision", "span_recall"), COUNTS),
    **dict.fromkeys(("relation_f1", "relation_micro_f1", "undirected_f1", "undirected_micro_f1"), RELATIONS),
    **{name: TRANSLATIONS.map(lambda found, name=name: found[name]) for name in ("bleu", "chrf", "chrf++")},
    **dict.fromkeys(("ece", "ece_excess"), CONFIDENCES),
}


def test_every_quick_metric_is_tested():
    assert set(VALUES) == set(QUICK)


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
@settings(max_examples=25)
def test_draws_at_once_are_draws_one_by_one(name, data):
    rule = QUICK[name]
    values = data.draw(st.lists(VALUES[name], min_size=1, max_size=30))
    sizes = data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=12))
    items = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, len(values), sum(sizes))
    draws = Draws(items, np.array(sizes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean over no label at all
        expected = [rule.aggregate(each) for each in draws.each(values)]
    np.testing.assert_array_equal(rule.over_draws(values, draws), expected)


@pytest.mark.parametrize("clusters", [None, [index // 3 for index in range(40)]])
@pytest.mark.parametrize("name", VALUES)
def test_the_interval_is_the_same(name, clusters):
    @settings(max_examples=1, derandomize=True)
    @given(st.lists(VALUES[name], min_size=40, max_size=40))
    def check(values):
        rule = QUICK[name]
        slow, quick = (
            bca_interval(values, rule.aggregate, clusters, seed=1, resamples=60, over_draws=over)
            for over in (None, rule.over_draws)
        )
        assert quick == slow

    check()
