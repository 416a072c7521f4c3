"""Battles: intervals of differences cover, a planted effect of style is found, and who is not linked gets no
number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from battlefields import fight
from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats.ratings import Battles, rate

STRENGTHS = np.linspace(-0.8, 0.8, 6)
PAIRS = [(5, 0), (5, 4), (3, 2), (1, 0)]


def share_covered(seed, count, make, **options):
    """How often the interval of a difference holds the true one, over boards and some pairs."""
    rng = np.random.default_rng(seed)
    covered = 0
    for _ in range(count):
        found = rate(make(rng), **options)
        for one, other in PAIRS:
            gap = found.difference(one, other)
            covered += gap.low <= STRENGTHS[one] - STRENGTHS[other] <= gap.high
    return covered / (count * len(PAIRS))


def room(count):
    """Three Monte Carlo errors of a coverage of 95 %; pairs of one board hang together, so boards count."""
    return 3 * np.sqrt(0.95 * 0.05 / count)


@pytest.mark.parametrize(("nu", "ties"), [(0.0, "half"), (0.7, "davidson"), (2.0, "davidson")])
def test_differences_are_covered(nu, ties):
    count = replicates(1000)
    share = share_covered(0, count, lambda rng: fight(rng, STRENGTHS, 500, nu=nu), ties=ties)
    assert 0.95 - room(count) <= share <= 0.95 + room(count)
    if count >= 1000:
        assert 0.93 <= share <= 0.97


def test_ties_as_halves_shrink_what_davidson_finds():
    """The same intervals around Bradley and Terry's strengths miss: the slope is about .74 at ν = .7."""
    count = replicates(400)
    share = share_covered(1, count, lambda rng: fight(rng, STRENGTHS, 2000, nu=0.7), ties="half")
    assert share < 0.85
    found = rate(fight(np.random.default_rng(2), STRENGTHS, 100_000, nu=0.7), ties="half")
    assert np.polyfit(STRENGTHS, found.strengths, 1)[0] == pytest.approx(0.74, abs=0.03)


def test_clusters_of_voters_are_covered_where_single_votes_are_not():
    count = replicates(400)

    def voters(rng):
        return fight(rng, STRENGTHS, 2000, nu=0.7, votes=20, taste=1.0)

    def alone(rng):
        return replace(voters(rng), clusters=())

    # Strengths are those of the average voter only up to the slope that tastes take away.
    truth = rate(fight(np.random.default_rng(3), STRENGTHS, 1_000_000, nu=0.7, votes=20, taste=1.0)).strengths

    def covered(make):
        rng, inside = np.random.default_rng(4), 0
        for _ in range(count):
            found = rate(make(rng))
            for one, other in PAIRS:
                gap = found.difference(one, other)
                inside += gap.low <= truth[one] - truth[other] <= gap.high
        return inside / (count * len(PAIRS))

    assert covered(voters) >= 0.95 - room(count)
    assert covered(alone) < 0.9


def test_a_planted_effect_of_style_is_found():
    count = replicates(400)
    rng = np.random.default_rng(5)
    inside, estimates = 0, []
    for _ in range(count):
        battles = fight(rng, STRENGTHS, 800, nu=0.5, gamma=(0.25,))
        (gamma,) = rate(battles).style()
        inside += gamma.low <= 0.25 <= gamma.high
        estimates.append(gamma.estimate)
    assert inside / count >= 0.95 - room(count)
    assert np.mean(estimates) == pytest.approx(0.25, abs=4 * np.std(estimates) / np.sqrt(count))


def test_ranks_hold_all_true_ranks_at_once():
    count = replicates(400)
    rng = np.random.default_rng(6)
    tied, right = np.zeros(8), 0
    for _ in range(count):
        ranks = rate(fight(rng, tied, 600, nu=0.5)).ranks()
        right += not ranks.better.any()
    assert right / count >= 0.95 - room(count)


def test_who_is_not_linked_gets_an_error_and_no_number():
    battles = fight(np.random.default_rng(7), STRENGTHS, 300, nu=0.5)
    apart = Battles(
        np.concatenate([battles.first, battles.first + 6]),
        np.concatenate([battles.second, battles.second + 6]),
        np.concatenate([battles.outcome, battles.outcome]),
        12,
    )
    with pytest.raises(InputError, match="do not link all 12 models"):
        rate(apart)
