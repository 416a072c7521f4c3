"""Looking after every batch: 20 entries that are exactly tied, and new ones placed among them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from replicates import replicates
from tianti.stats.moments import Array
from tianti.stats.sequential import Bank, Placing, Ranking, fit_control, log_beta_binomial

ENTRIES, ITEMS, BATCH, ALPHA = 20, 4000, 50, 0.05
FAMILY = ENTRIES * (ENTRIES - 1)


def _most(rate: float, count: int) -> float:
    """What an error rate may be measured as in `count` replicates: 3 standard errors above."""
    return rate + 3 * math.sqrt(rate * (1 - rate) / count)


def _answers(rng: np.random.Generator, ability: Array, items: int = ITEMS) -> Array:
    """0/1 answers of entries with these abilities, where hard items are hard for all (a 1PL model, slope 1.5)."""
    chance = 1 / (1 + np.exp(-(ability[:, None] - 1.5 * rng.normal(size=items))))
    return (rng.random(chance.shape) < chance).astype(float)


def _tied_bank(rng: np.random.Generator) -> Array:
    """The same number of right answers for all: random ones are turned until it is so."""
    values = _answers(rng, np.full(ENTRIES, 0.5))
    for row in values:
        extra = int(row.sum()) - int(0.6 * ITEMS)
        turned = rng.choice(np.flatnonzero(row == float(extra > 0)), abs(extra), replace=False)
        row[turned] = float(extra < 0)
    return values


def _wins(values: Array) -> Array:
    """How often each beat each after every batch; shape (batches, M, M)."""
    batches = values.reshape(ENTRIES, -1, BATCH).transpose(1, 0, 2)
    wins: Array = np.cumsum(batches @ (1 - batches).transpose(0, 2, 1), axis=0)
    return wins


def _naive(wins: Array) -> bool:
    """Whether the paired z-test, with Bonferroni for all pairs and looked at after every batch, says anything."""
    losses = wins.transpose(0, 2, 1)
    z = (wins - losses) / np.sqrt(np.maximum(wins + losses, 1))
    return bool((z >= -ndtri(ALPHA / FAMILY)).any())


def test_no_false_order_of_tied_entries_among_new_items_where_the_usual_test_has_many() -> None:
    count = replicates(400, everyday=60)
    rng = np.random.default_rng(11)
    wrong = naive = 0
    for _ in range(count):
        wins = _wins(_answers(rng, np.full(ENTRIES, 0.5)))
        # Holm's first step: with nothing rejected, the threshold is that of Bonferroni.
        wrong += bool((log_beta_binomial(wins, wins.transpose(0, 2, 1)) >= math.log(FAMILY / ALPHA)).any())
        naive += _naive(wins)
    assert wrong / count <= _most(ALPHA, count)
    assert naive / count > _most(ALPHA, count)  # the same test, failed
    assert naive / count > 0.25 - 3 * math.sqrt(0.25 * 0.75 / count)


def test_no_false_order_on_a_bank_that_is_exactly_tied() -> None:
    count = replicates(400, everyday=20)
    rng = np.random.default_rng(12)
    bank = Bank({"t": ITEMS}, {"t": None})
    wrong = 0
    for _ in range(count):
        values = _tied_bank(rng)
        ranking = Ranking(ENTRIES, bank, delta=0.02)
        ranking.take(
            values, values, ["t"] * ITEMS, range(ENTRIES)
        )  # the greatest E is that of a look at every item
        wrong += bool(ranking.decisions().better.any())
        assert ranking.decisions().settled.all()  # all are tied within δ
    assert wrong / count <= _most(ALPHA, count)


def test_a_board_that_is_not_tied_is_decided_without_a_false_statement() -> None:
    count = replicates(100, everyday=8)
    rng = np.random.default_rng(13)
    bank, delta = Bank({"t": 2000}, {"t": 0.5}), 0.04
    wrong = 0
    for _ in range(count):
        values = _answers(rng, rng.normal(0.5, 0.6, size=8), 2000)
        ranking, running = Ranking(8, bank, delta=delta), np.ones(8, dtype=bool)
        for start in range(0, 2000, BATCH):
            part = values[running, start : start + BATCH]
            ranking.take(part, part, ["t"] * BATCH, running)
            running &= ~ranking.decisions().settled
            if not running.any():
                break
        shown, gap = ranking.decisions(), 2 * (values.mean(axis=1)[:, None] - values.mean(axis=1))
        assert shown.settled.all()
        wrong += bool((shown.better & (gap <= 0)).any() or (shown.near & (gap <= -delta - 1e-9)).any())
    assert wrong / count <= _most(ALPHA, count)


@pytest.mark.parametrize("with_control", [False, True])
def test_a_new_entry_is_misplaced_in_one_of_twenty_cases_at_most(with_control: bool) -> None:
    count = replicates(400, everyday=25)
    rng = np.random.default_rng(14)
    bank, delta, items = Bank({"t": 3000}, {"t": None}), 0.03, 3000
    wrong = 0
    for _ in range(count):
        values = _answers(rng, np.linspace(-1, 2, 21), items)
        new, others = values[10], np.delete(values, 10, axis=0)
        scores = others.mean(axis=1)
        control = fit_control(others, new[:250], np.ones(items)) if with_control else None
        placing = Placing(np.array([scores, scores]), bank, delta=delta, control=control)
        for start in range(0, items, BATCH):
            part = new[start : start + BATCH]
            placing.take(part, part, ["t"] * BATCH)
            if placing.place().settled.all():
                break
        shown, gap = placing.place(), scores - new.mean()
        assert shown.settled.all()
        wrong += bool(
            (shown.above & (gap <= 0)).any()
            or (shown.below & (gap >= 0)).any()
            or (shown.tied & (abs(gap) >= delta + 1e-9)).any()
            or not shown.low <= 1 + (gap > 0).sum() <= shown.high
        )
    assert wrong / count <= _most(ALPHA, count)
