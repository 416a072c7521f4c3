"""Many samples at once are the samples that a plain loop draws, and so are their sums and means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.stats.bootstrap import bca_interval
from tianti.stats.calibration import calibration_error, expected_null
from tianti.stats.calibration_draws import binned
from tianti.stats.draws import Draws, Units, row_means, row_sums

KEYS = st.none() | st.lists(st.integers(0, 4), min_size=12, max_size=12)


def loop(n, clusters, seed, resamples):
    """Whole units, one resample after another."""
    members = {}
    for item in range(n):
        members.setdefault(item if clusters is None else clusters[item], []).append(item)
    units = list(members.values())
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield [item for unit in generator.integers(0, len(units), len(units)) for item in units[unit]]


@given(KEYS, st.integers(0, 9))
def test_a_bootstrap_draws_what_a_loop_draws(clusters, seed):
    seen = []
    bca_interval(range(12), lambda values: seen.append(list(values)) or 1.0, clusters, seed=seed, resamples=7)
    if clusters is None or len(set(clusters)) > 1:
        assert seen[1:8] == list(loop(12, clusters, seed, 7))
    else:
        assert seen == [list(range(12))]


def test_blocks_of_draws_are_the_draws_of_one(monkeypatch):
    values, clusters = list(np.random.default_rng(0).gamma(2.0, size=60)), [index % 23 for index in range(60)]
    whole = [bca_interval(values, np.mean, keys, seed=3, resamples=50) for keys in (None, clusters)]
    monkeypatch.setattr("tianti.stats.bootstrap.AT_ONCE", 150)
    monkeypatch.setattr("tianti.stats.bootstrap.MAX_JACKKNIFE", 20)
    few = [bca_interval(values, np.mean, keys, seed=3, resamples=50) for keys in (None, clusters)]
    monkeypatch.setattr("tianti.stats.bootstrap.AT_ONCE", 10**6)
    assert few == [bca_interval(values, np.mean, keys, seed=3, resamples=50) for keys in (None, clusters)]
    monkeypatch.setattr("tianti.stats.bootstrap.MAX_JACKKNIFE", 500)
    assert whole == [bca_interval(values, np.mean, keys, seed=3, resamples=50) for keys in (None, clusters)]


@given(KEYS)
def test_the_jackknife_leaves_whole_units_out_in_their_order(clusters):
    units = Units(12, clusters)
    if len(units) < 2:
        return
    blocks = np.array_split(np.arange(len(units)), max(len(units) - 2, 2))
    found = list(units.left_out(blocks).each(range(12)))
    codes = units.codes.tolist()
    assert found == [[item for item in range(12) if codes[item] not in block] for block in blocks]


def test_sums_and_counts_are_those_of_each_sample():
    draws = Draws(np.array([0, 0, 2, 1, 2, 2]), np.array([3, 1, 2]))
    assert list(draws.each("abc")) == [["a", "a", "c"], ["b"], ["c", "c"]]
    assert draws.sums(np.array([[1, 5], [2, 6], [4, 7]])).tolist() == [[6, 17], [2, 6], [8, 14]]
    codes = np.array([1, 0, 1])[draws.items]
    assert draws.counts(codes, 2).tolist() == [[0, 3], [1, 0], [0, 2]]
    weights = np.array([0.5, 1.0, 2.0])[draws.items]
    assert draws.counts(codes, 3, weights).tolist() == [[0, 3, 0], [1, 0, 0], [0, 4, 0]]


@pytest.mark.parametrize("columns", [1, 3, 10, 40, 200])
def test_sums_of_rows_are_numpys_bit_for_bit(columns):
    generator = np.random.default_rng(columns)
    values, kept = generator.random((100, columns)), generator.random((100, columns)) < 0.7
    kept[0] = False
    sums, means = row_sums(values, kept), row_means(values, kept)
    assert sums[0] == 0
    assert np.isnan(means[0])
    for row in range(1, 100):
        if kept[row].any():
            assert sums[row] == values[row][kept[row]].sum()
            assert means[row] == values[row][kept[row]].mean()


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.99, 1.0]) | st.floats(0, 1), st.integers(0, 1)),
        min_size=2,
        max_size=60,
    ),
    st.integers(1, 10),
)
def test_calibration_of_draws_is_that_of_each(pairs, bins):
    p, y = np.array(pairs, dtype=float).T
    units = Units(len(pairs), None)
    draws = units.taken(np.random.default_rng(1).integers(0, len(units), (20, len(units))))
    found = binned(p, y, draws, bins)
    samples = list(draws.each(pairs))
    assert found.errors().tolist() == [calibration_error(*zip(*each, strict=True), bins) for each in samples]
    assert found.nulls().tolist() == [
        expected_null([probability for probability, _ in each], bins) for each in samples
    ]
