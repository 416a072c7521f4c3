from __future__ import annotations

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.sequential import Bank, Ranking, rank_prefixes

TASK = "t"


def _bank(items: int) -> Bank:
    return Bank({TASK: items}, {TASK: None})


def _values(shares: list[float], items: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return (rng.random((len(shares), items)) < np.array(shares)[:, None]).astype(float)


def _race(values: Array, delta: float, step: int = 50) -> tuple[Ranking, Array]:
    entries, items = values.shape
    ranking, running = Ranking(entries, _bank(items), delta=delta), np.ones(entries, dtype=bool)
    for start in range(0, items, step):
        part = values[running, start : start + step]
        ranking.take(part, part, [TASK] * part.shape[1], running)
        running &= ~ranking.decisions().settled
        if not running.any():
            break
    return ranking, ranking.asked


def test_distant_entries_are_decided_early_and_near_ones_are_tied_late() -> None:
    values = _values([0.95, 0.6, 0.6, 0.2], 2000)
    values[2] = np.random.default_rng(0).permutation(values[1])
    ranking, asked = _race(values, 0.05)
    decisions = ranking.decisions()
    assert decisions.settled.all()
    assert decisions.low.tolist() == [1, 2, 2, 4]
    assert decisions.high.tolist() == [1, 3, 3, 4]
    assert decisions.near[[1, 2], [2, 1]].all()
    assert asked[0] < asked[1] == asked[2] < 2000
    assert ranking.family == 12


def test_asked_to_the_end_every_pair_is_what_the_totals_say() -> None:
    values = _values([0.5, 0.5, 0.52, 0.6], 400, seed=3)
    ranking = Ranking(4, _bank(400), delta=0.02)
    ranking.take(values, values, [TASK] * 400, range(4))
    gap = values.mean(axis=1)[:, None] - values.mean(axis=1)
    decisions = ranking.decisions()
    assert decisions.settled.all()
    assert (decisions.better == (gap > 1e-9)).all()
    assert (decisions.near[~np.eye(4, dtype=bool)] == (gap > -0.02)[~np.eye(4, dtype=bool)]).all()


def test_tasks_of_unequal_size_weigh_as_in_the_mean() -> None:
    """The first entry is better on most items, the second on the mean over tasks."""
    tasks = ["large"] * 90 + ["small"] * 10
    first = np.array([1.0] * 90 + [0.0] * 10)
    second = np.array([0.5] * 90 + [1.0] * 10)
    order = np.random.default_rng(0).permutation(100)
    ranking = Ranking(2, Bank({"large": 90, "small": 10}, {"large": None, "small": 0.5}), delta=0.01)
    values = np.array([first, second])[:, order]
    ranking.take(values, values, [tasks[index] for index in order], [0, 1])
    assert ranking.decisions().better.tolist() == [[False, False], [True, False]]


def test_a_missing_answer_never_helps() -> None:
    low = _values([0.9, 0.3], 300)
    high = low.copy()
    missing = np.random.default_rng(1).random(low.shape) < 0.2
    low[missing], high[missing] = 0.0, 1.0
    ranking = Ranking(2, _bank(300), delta=0.02)
    ranking.take(low, high, [TASK] * 300, [0, 1])
    shown = ranking.decisions()
    assert shown.better[0, 1] == (low[0].mean() > high[1].mean())
    both = Ranking(2, _bank(300), delta=0.5)
    both.take(np.zeros((2, 300)), np.ones((2, 300)), [TASK] * 300, [0, 1])
    assert not both.decisions().decided.any()


def test_prefixes_give_what_the_rounds_gave() -> None:
    values = _values([0.9, 0.7, 0.68, 0.4, 0.1], 1000, seed=5)
    ranking, asked = _race(values, 0.05)
    prefixes = [row[:count] for row, count in zip(values, asked, strict=True)]
    again = rank_prefixes(prefixes, prefixes, [TASK] * 1000, _bank(1000), delta=0.05)
    assert (again.decisions().better == ranking.decisions().better).all()
    assert (again.decisions().near == ranking.decisions().near).all()
    assert (again.asked == asked).all()


def test_the_order_of_the_entries_changes_nothing() -> None:
    values = _values([0.9, 0.7, 0.5, 0.3], 500, seed=2)
    turned = [2, 0, 3, 1]
    one, _ = _race(values, 0.05)
    two, _ = _race(values[turned], 0.05)
    assert (one.decisions().better[np.ix_(turned, turned)] == two.decisions().better).all()


def test_what_follows_is_shown_and_what_contradicts_itself_is_withdrawn() -> None:
    ranking = Ranking(3, _bank(10), delta=0.1)
    far = 50.0
    pairs = list(zip(ranking._first, ranking._second, strict=True))
    ranking._order.best[[pairs.index((0, 1)), pairs.index((1, 2))]] = far
    ranking._near.best[:] = ranking._order.best
    assert ranking.decisions().better[0, 2]
    ranking._order.best[pairs.index((1, 0))] = far
    assert not ranking.decisions().better[0, 1]
    assert not ranking.decisions().decided[0, 1]


def test_one_entry_is_decided_and_bad_input_is_refused() -> None:
    assert Ranking(1, _bank(5), delta=0.1).decisions().settled.all()
    with pytest.raises(InputError, match="decides no tie"):
        Ranking(2, _bank(5), delta=0.0)
    with pytest.raises(InputError, match="confidence level"):
        Ranking(2, _bank(5), delta=0.1, level=1.0)
    ranking = Ranking(2, _bank(5), delta=0.1)
    with pytest.raises(InputError, match=r"not in \[0, 1\]"):
        ranking.take(np.full((2, 1), 2.0), np.full((2, 1), 2.0), [TASK], [0, 1])
    ranking.take(np.ones((1, 1)), np.ones((1, 1)), [TASK], [0])
    with pytest.raises(InputError, match="the same items"):
        ranking.take(np.ones((2, 1)), np.ones((2, 1)), [TASK], [0, 1])
