from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from battlefields import fight
from tianti.core.exceptions import InputError
from tianti.stats.ratings import Battles, rate, votes_to_unseat


def first_after(battles, dropped, **options):
    kept = np.ones(len(battles), dtype=bool)
    kept[list(dropped)] = False
    return rate(battles.select(kept), **options).strengths


def fewest(battles, most, **options):
    """By trying all subsets."""
    leader = rate(battles, **options).strengths.argmax()
    for votes in range(most + 1):
        for dropped in combinations(range(len(battles)), votes):
            try:
                strengths = first_after(battles, dropped, **options)
            except InputError:
                continue
            if np.delete(strengths, leader).max() >= strengths[leader] - 1e-9:
                return votes
    return None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", [{"ties": "half"}, {"ties": "davidson", "prior": 0.3}])
def test_it_is_never_below_the_fewest_and_mostly_equal(seed, options):
    battles = fight(np.random.default_rng(seed), np.array([0.5, 0.2, 0.0]), 24, nu=0.6)
    least = fewest(battles, 2, **options)
    found = votes_to_unseat(rate(battles, **options))
    if least is None:
        assert found is None or found.votes > 2
    else:
        assert least <= found.votes <= least + 1


def test_dropping_these_votes_unseats_and_style_is_held_equal():
    battles = fight(np.random.default_rng(1), np.array([0.4, 0.2, 0.0, -0.3]), 600, nu=0.4, gamma=(0.5,))
    found = rate(battles)
    unseat = votes_to_unseat(found)
    assert 0 < unseat.votes < 60
    assert unseat.successor != found.strengths.argmax()


def test_a_shared_first_place_needs_no_vote():
    first, second = np.array([0, 1, 0, 1, 2, 2]), np.array([1, 0, 2, 2, 0, 1])
    battles = Battles(first, second, np.zeros(6, dtype=np.int8), 3)
    assert votes_to_unseat(rate(battles)).votes == 0


def test_a_larger_lead_takes_more_votes():
    votes = []
    for lead in (0.2, 0.8, 1.6):
        battles = fight(np.random.default_rng(2), np.array([lead, 0.0, 0.0, -0.1]), 1000, nu=0.4)
        votes.append(votes_to_unseat(rate(battles)).votes)
    assert votes == sorted(votes)
    assert votes[2] > 3 * votes[0]
