import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn import metrics as sklearn

from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats.calibration import (
    brier,
    calibration_error,
    calibration_test,
    expected_null,
    log_loss,
    selective_accuracy,
)

probabilities = hnp.arrays(float, 40, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 0.99, 1.0]))
outcomes = hnp.arrays(float, 40, elements=st.sampled_from([0.0, 1.0]))


@given(probabilities, outcomes, st.integers(1, 12))
def test_the_parts_of_the_brier_score_make_it_up(p, y, bins):
    found = brier(p, y, bins)
    whole = found.reliability - found.resolution + found.uncertainty + found.within
    assert found.score == pytest.approx(whole, abs=1e-12)
    assert found.score == pytest.approx(sklearn.brier_score_loss(y, p, pos_label=1.0))
    assert min(found.reliability, found.resolution, found.uncertainty) >= 0


def test_the_parts_by_hand():
    """Two forecasts, each right half as often as it says: Murphy's terms from their definitions."""
    p, y = np.repeat([0.2, 0.8], 10), np.tile([0.0] * 6 + [1.0] * 4, 2)
    found = brier(p, y, bins=2)
    assert found.reliability == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert found.resolution == pytest.approx(0)
    assert found.uncertainty == pytest.approx(0.24)
    assert found.within == pytest.approx(0)


def test_log_loss_is_scikit_learns():
    rng = np.random.default_rng(0)
    p, y = rng.random(50), (rng.random(50) < 0.5).astype(float)
    assert log_loss(p, y) == pytest.approx(sklearn.log_loss(y, p))
    assert log_loss([1.0, 0.0], [1.0, 0.0]) == 0
    assert log_loss([1.0], [0.0]) == math.inf


def test_the_error_over_sorted_bins():
    """With different probabilities the bins are those of sorting and cutting into ten."""
    rng = np.random.default_rng(1)
    for n in (20, 100, 357):
        p, y = rng.random(n), (rng.random(n) < 0.6).astype(float)
        order = np.argsort(p)
        place = 10 * np.arange(n) // n
        expected = sum(abs((p[order] - y[order])[place == number].sum()) for number in range(10)) / n
        assert calibration_error(p, y) == pytest.approx(expected)
        assert calibration_error(p, y, bins=1) == pytest.approx(abs(p.mean() - y.mean()))


@given(probabilities, outcomes, st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(p, y, random):
    order = list(range(40))
    random.shuffle(order)
    assert calibration_error(p[order], y[order]) == pytest.approx(calibration_error(p, y))
    assert brier(p[order], y[order]).reliability == pytest.approx(brier(p, y).reliability)
    assert expected_null(p[order]) == pytest.approx(expected_null(p))
    assert 0 <= calibration_error(p, y) <= 1


@pytest.mark.parametrize(("n", "bias"), [(100, 0.108), (300, 0.061), (1000, 0.033), (10_000, 0.0106)])
def test_a_calibrated_model_shows_the_null(n, bias):
    rng = np.random.default_rng(2)
    errors, nulls = [], []
    for _ in range(100):
        p = 0.25 + 0.75 * rng.random(n)
        errors.append(calibration_error(p, (rng.random(n) < p).astype(float)))
        nulls.append(expected_null(p))
    assert np.mean(errors) == pytest.approx(bias, rel=0.1)
    assert np.mean(nulls) == pytest.approx(np.mean(errors), abs=3 * np.std(errors) / 10)


@pytest.mark.parametrize(
    "draw", [lambda r: 0.25 + 0.75 * r, lambda r: 1 - 0.05 * r, lambda r: np.round(r, 1)]
)
def test_the_formula_of_the_null_is_what_is_simulated(draw):
    p = draw(np.random.default_rng(3).random(400))
    found = calibration_test(p, np.zeros(400), seed=0, draws=4000)
    assert expected_null(p) == pytest.approx(found.null, rel=0.03)
    assert expected_null(p) >= 0.98 * found.null


def test_one_bin_of_equal_forecasts_is_a_binomial_deviation():
    for p in (0.03, 0.5, 0.97):
        counts = np.arange(31)
        expected = (np.abs(counts - 30 * p) * stats.binom.pmf(counts, 30, p)).sum() / 30
        assert expected_null([p] * 30, bins=1) == pytest.approx(expected)
    assert expected_null([1.0, 0.0, 1.0]) == 0


def test_p_values_of_calibrated_models_are_uniform_and_of_others_small():
    rng, count = np.random.default_rng(4), replicates(600)
    found = []
    for _ in range(count):
        p = 0.5 + 0.5 * rng.random(200)
        found.append(calibration_test(p, (rng.random(200) < p).astype(float), seed=0, draws=200).p)
    slack = 3 * math.sqrt(0.05 * 0.95 / count)
    assert np.mean(np.array(found) <= 0.05) <= 0.05 + slack
    assert stats.kstest(found, "uniform").pvalue > 1e-3
    p = 0.5 + 0.5 * rng.random(200)
    overconfident = calibration_test(p, (rng.random(200) < p - 0.2).astype(float), seed=0)
    assert overconfident.p < 0.01
    assert overconfident.excess > 0.05
    assert overconfident.excess == overconfident.error - overconfident.null


def test_the_simulation_is_repeatable():
    p, y = [0.2, 0.9, 0.7], [0.0, 1.0, 1.0]
    assert calibration_test(p, y, seed=1) == calibration_test(p, y, seed=1)
    assert calibration_test(p, y, seed=1) != calibration_test(p, y, seed=2)


def test_accuracy_on_what_the_model_is_surest_of():
    p = np.array([0.9, 0.95, 0.5, 0.6, 0.7, 0.4, 0.3, 0.2, 0.1, 0.05])
    y = np.array([1.0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    assert selective_accuracy(p, y) == 0
    assert selective_accuracy(p, y, 0.2) == 0.5
    assert selective_accuracy(p, y, 1.0) == pytest.approx(y.mean())
    assert selective_accuracy([0.5] * 8, [1.0, 0, 0, 0, 1, 0, 0, 0]) == 0.25  # all alike: any one of them


@pytest.mark.parametrize(
    ("p", "y"), [([], []), ([0.5], [0.0, 1.0]), ([1.2], [1.0]), ([0.5], [0.5]), ([math.nan], [1.0])]
)
def test_what_is_no_forecast_is_refused(p, y):
    for function in (brier, log_loss, calibration_error, selective_accuracy):
        with pytest.raises(InputError):
            function(p, y)
    with pytest.raises(InputError):
        calibration_error([0.5], [1.0], bins=0)
    with pytest.raises(InputError):
        selective_accuracy([0.5], [1.0], 0)
