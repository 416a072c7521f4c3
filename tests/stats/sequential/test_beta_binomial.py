from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom

from tianti.core.exceptions import InputError
from tianti.stats.sequential import log_beta_binomial


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (7, 2), (2, 7), (60, 40)])
def test_it_is_the_mean_likelihood_ratio_over_the_prior(wins: int, losses: int) -> None:
    def ratio(a: float) -> float:
        found, _ = quad(
            lambda p: 2 * beta.pdf(p, a, a) * p**wins * (1 - p) ** losses * 2.0 ** (wins + losses), 0.5, 1
        )
        return float(found)

    expected = math.log((ratio(10) + ratio(100)) / 2)
    assert float(log_beta_binomial(wins, losses)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("p", [0.5, 0.4, 0.1])
def test_its_expectation_is_at_most_one(p: float) -> None:
    for n in (1, 5, 30, 200):
        wins = np.arange(n + 1)
        expectation = float((binom.pmf(wins, n, p) * np.exp(log_beta_binomial(wins, n - wins))).sum())
        assert expectation == pytest.approx(1.0) if p == 0.5 else expectation < 1


def test_many_wins_are_no_overflow_and_counts_are_not_negative() -> None:
    assert float(log_beta_binomial(10**6, 0)) > 1000
    assert float(log_beta_binomial(0, 10**6)) <= 0
    with pytest.raises(InputError, match="counts"):
        log_beta_binomial(-1, 0)
