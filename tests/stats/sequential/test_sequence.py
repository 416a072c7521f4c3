from __future__ import annotations

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.stats.sequential import Bank, OneMean, anytime_interval, fit_control
from tianti.stats.sequential.sequence import METHOD


def _bank(items: int, chance: float | None = None) -> Bank:
    return Bank({"t": items}, {"t": chance})


def test_the_interval_narrows_to_the_score_of_the_whole_bank() -> None:
    values = (np.random.default_rng(0).random(600) < 0.7).astype(float)
    widths = []
    for items in (20, 100, 400, 600):
        found = anytime_interval(values[:items], values[:items], ["t"] * items, _bank(600))
        assert found.low is not None
        assert found.high is not None
        assert found.low - 1e-6 <= values.mean() <= found.high + 1e-6
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 1e-4
    assert (found.method, found.n, found.target) == (METHOD, 600, "this bank")
    assert found.estimate == pytest.approx(values.mean())


def test_before_the_first_item_everything_is_possible() -> None:
    nothing = np.zeros(0)
    found = anytime_interval(nothing, nothing, [], _bank(10, chance=0.5))
    assert (found.low, found.high) == (-1.0, 1.0)


def test_missing_answers_leave_what_they_could_be() -> None:
    low, high = np.array([1.0, 0.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0, 1.0])
    found = anytime_interval(low, high, ["t"] * 4, _bank(4))
    assert found.low == pytest.approx(0.5, abs=1e-4)
    assert found.high == pytest.approx(0.75, abs=1e-4)


def test_a_control_variate_that_knows_the_answers_narrows_and_one_that_is_wrong_still_covers() -> None:
    rng = np.random.default_rng(2)
    ease = rng.random(2000)
    others = (rng.random((10, 2000)) < np.where(ease > 0.4, 0.95, 0.1)).astype(float)
    values = (rng.random(2000) < np.where(ease > 0.4, 0.9, 0.15)).astype(float)
    units = np.ones(2000)
    plain = anytime_interval(values[:700], values[:700], ["t"] * 700, _bank(2000))
    widths = {}
    for name, trained in (("good", others), ("noise", rng.integers(0, 2, others.shape).astype(float))):
        control = fit_control(trained, values[:200], units)
        found = anytime_interval(values[:700], values[:700], ["t"] * 700, _bank(2000), control=control)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= values.mean() <= found.high
        widths[name] = found.high - found.low
    assert plain.high is not None
    assert plain.low is not None
    assert widths["good"] < plain.high - plain.low < widths["noise"] * 1.2


def test_with_a_control_variate_too_the_end_of_the_bank_is_exact() -> None:
    rng = np.random.default_rng(3)
    others, values = rng.random((4, 300)), rng.integers(0, 2, 300).astype(float)
    bank = Bank({"a": 200, "b": 100}, {"a": 0.25, "b": None})
    tasks = ["a", "b", "a"] * 100
    control = fit_control(others, values[:50], bank.units(tasks))
    score = bank.score(float((values * bank.units(tasks)).mean()))
    bets = OneMean([score - 1e-6, score, score + 1e-6], bank, control)
    for start in range(0, 300, 37):
        part = slice(start, start + 37)
        bets.take(values[part], values[part], tasks[part])
    assert np.isinf(bets.above).tolist() == [True, False, False]
    assert np.isinf(bets.below).tolist() == [False, False, True]


def test_predictions_are_of_values_and_need_something_to_learn_from() -> None:
    rng = np.random.default_rng(4)
    others = rng.integers(0, 2, (6, 500)).astype(float)
    control = fit_control(others, others[0, :100], np.ones(500))
    assert ((control.predicted >= 0) & (control.predicted <= 1)).all()
    assert np.abs(control.predicted[100:] - others[0, 100:]).mean() < 0.05
    with pytest.raises(InputError, match="nothing to learn"):
        fit_control(others, np.zeros(0), np.ones(500))
    with pytest.raises(InputError, match=r"not in \[0, 1\]"):
        OneMean([0.5], _bank(3)).take(np.array([2.0]), np.array([2.0]), ["t"])
