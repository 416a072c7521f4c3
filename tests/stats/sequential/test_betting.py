"""Exactness, by going through all orders of tiny banks."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.sequential import Bets

TINY = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=6)


def _all_orders(bank: list[float]) -> Array:
    return np.array(list(permutations(bank)))


def _remaining(items: int) -> Array:
    return -np.arange(items - 1, -1, -1, dtype=float)


def _bet(orders: Array, limit: float, remaining: Array | None = None) -> Bets:
    bets = Bets(np.full(len(orders), limit), orders.shape[1])
    bets.draw(
        orders, 0, least=-1.0, remaining=_remaining(orders.shape[1]) if remaining is None else remaining
    )
    return bets


@given(TINY, st.sampled_from([0.0, 0.1]))
def test_the_expectation_over_all_orders_is_at_most_one(bank: list[float], above: float) -> None:
    orders, limit = _all_orders(bank), float(np.mean(bank)) + above
    for items in range(1, len(bank) + 1):
        bets = Bets(np.full(len(orders), limit), len(bank))
        bets.draw(orders[:, :items], 0, least=-1.0, remaining=_remaining(len(bank))[:items])
        expectation = np.exp(bets.now).mean()
        assert expectation <= 1 + 1e-9
        if above == 0.0 and min(bank) > -1:
            assert expectation == pytest.approx(1.0)  # nothing is lost where the hypothesis is on its edge
        assert np.isfinite(bets.best).all()


@given(TINY)
def test_no_threshold_is_passed_too_often(bank: list[float]) -> None:
    """Ville's inequality for the greatest E, over all orders and at every threshold that is reached."""
    best = _bet(_all_orders(bank), float(np.mean(bank))).best
    for threshold in np.unique(best[best > 0]):
        assert (best >= threshold).mean() <= np.exp(-threshold) + 1e-9


@given(TINY, st.floats(-0.9, 0.9))
def test_at_the_end_of_the_bank_a_false_hypothesis_has_fallen_and_a_true_one_stands(
    bank: list[float], limit: float
) -> None:
    best = _bet(_all_orders(bank), limit).best
    if np.sum(bank) > len(bank) * limit + 1e-6:
        assert np.isinf(best).all()
    elif np.sum(bank) < len(bank) * limit - 1e-6:
        assert np.isfinite(best).all()


@given(TINY, st.floats(-0.9, 0.9), st.floats(0.0, 0.5))
def test_what_rejects_more_rejects_less_too(bank: list[float], limit: float, less: float) -> None:
    orders = _all_orders(bank)[:50]
    assert (_bet(orders, limit - less).best >= _bet(orders, limit).best - 1e-9).all()


def test_an_exact_tie_is_never_impossible_and_a_test_with_equality_says_that_it_is() -> None:
    orders = _all_orders([1.0, -1.0, 1.0, -1.0, 0.0])
    assert np.isfinite(_bet(orders, 0.0).best).all()
    assert np.isinf(_bet(orders, 0.0, _remaining(5) + 1e-6).best).all()


def test_pieces_and_subsets_give_what_the_whole_gives() -> None:
    rng = np.random.default_rng(1)
    draws = rng.choice([-1.0, 0.0, 1.0], size=(3, 300))
    whole, pieces = Bets(np.array([0.0, 0.1, -0.1]), 300), Bets(np.array([0.0, 0.1, -0.1]), 300)
    whole.draw(draws, 0, least=-1.0, remaining=_remaining(300))
    for start in range(0, 300, 70):
        part = slice(start, start + 70)
        pieces.draw(
            draws[:2, part], start, least=-1.0, remaining=_remaining(300)[part], which=np.array([0, 1])
        )
        pieces.draw(draws[2:, part], start, least=-1.0, remaining=_remaining(300)[part], which=np.array([2]))
    assert pieces.best == pytest.approx(whole.best)
    assert pieces.now == pytest.approx(whole.now)


def test_draws_from_without_end_bet_against_the_limit() -> None:
    bets = Bets(np.array([0.0]), None)
    bets.draw(np.array([0.5, -1.0]), 0, least=-1.0)
    stakes = np.array([0.02, 0.04, 0.08, 0.16, 0.32, 0.6])
    assert bets.now == pytest.approx(np.log(np.mean((1 + stakes * 0.5) * (1 - stakes))))


def test_a_draw_out_of_bounds_or_beyond_the_bank_is_refused() -> None:
    with pytest.raises(InputError, match="least possible"):
        Bets(np.array([0.0]), 3).draw(np.array([-1.5]), 0, least=-1.0)
    with pytest.raises(InputError, match="bank of 3"):
        Bets(np.array([0.0]), 3).draw(np.array([0.0, 0.0]), 2, least=-1.0)
