import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import kendalltau

from tianti.core.exceptions import InputError
from tianti.stats import AGGREGATES, aggregate, places_of, stability


def some_scores(seed=0, entries=8, tasks=5):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.5, 0.1, (entries, 1)) + rng.normal(0, 0.1, (entries, tasks)), 0, 1)


@given(hnp.arrays(float, (5, 3), elements=st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])))
def test_places_and_agreements_are_those_of_the_aggregates(scores):
    found = stability(scores, draws=5)
    assert list(found.places) == list(AGGREGATES)
    for name, places in found.places.items():
        assert places.tolist() == places_of(aggregate(name, scores).values).tolist()
    for pair in found.agreements:
        one, other = found.places[pair.first], found.places[pair.second]
        assert pair.tau == pytest.approx(kendalltau(one, other).statistic, nan_ok=True)
        assert pair.entries == 5
        if pair.mover is None:
            assert (one == other).all()
            continue
        assert abs(pair.place_first - pair.place_second) == np.abs(one - other).max()
        assert (one[pair.mover], other[pair.mover]) == (pair.place_first, pair.place_second)


def test_entries_that_only_one_ranks_move_nobody():
    scores = np.array([[np.nan, 0.9], [0.5, 0.5], [0.4, 0.3], [0.2, 0.1]])
    found = stability(scores, draws=5)
    assert np.isnan(found.places["mean"][0])
    (pair,) = [each for each in found.agreements if (each.first, each.second) == ("mean", "latent")]
    assert (pair.entries, pair.tau, pair.mover) == (3, pytest.approx(1.0), None)


@pytest.mark.parametrize("by", AGGREGATES)
def test_without_a_task_is_the_aggregate_of_the_others(by):
    scores = some_scores()
    found = stability(scores, by=by, draws=5)
    for task in range(5):
        expected = places_of(aggregate(by, np.delete(scores, task, axis=1)).values)
        assert found.without[task].tolist() == expected.tolist()


@pytest.mark.parametrize("by", AGGREGATES)
def test_random_weights_are_those_of_a_dirichlet_distribution(by):
    scores, weights = some_scores(1), np.array([1.0, 1, 1, 2, 1])
    found = stability(scores, weights, by=by, seed=7, draws=40).random
    share = weights / weights.sum()
    drawn = np.random.default_rng(7).dirichlet(5 * share, size=40)
    places = np.stack([places_of(aggregate(by, scores, each).values) for each in drawn])
    assert found.first == pytest.approx((places == 1).mean(axis=0))
    ordered = np.sort(places, axis=0)
    assert found.low.tolist() == ordered[1].tolist()  # the 5 % quantile: the second of 40
    assert found.high.tolist() == ordered[37].tolist()
    assert (found.draws, found.seed) == (40, 7)


def test_a_leader_everywhere_is_first_under_all_weights_and_one_by_a_hair_is_not():
    scores = some_scores(2)
    scores[3] = 1.0
    found = stability(scores)
    assert (found.random.first[3], found.random.high[3], found.weight_change) == (1.0, 1.0, None)
    hair = np.array([[0.9, 0.5], [0.5, 0.89]])
    found = stability(hair)
    assert found.weight_change.share == pytest.approx(0.005 / 0.79, rel=1e-6)
    assert 0.3 < found.random.first[0] < 0.7
    assert stability(hair, by="win-rate").weight_change is None


def test_the_change_of_weights_counts_all_entries_and_tasks():
    scores = np.array([[np.nan, 0.9, 0.9], [0.9, 0.5, 0.7], [0.5, 0.8, 0.9]])
    found = stability(scores, np.array([1.0, 1.0, 0.0])).weight_change
    assert (found.leader, found.rival) == (1, 2)
    assert found.weights[2] == 0
    after = scores[1:] @ found.weights
    assert after[0] == pytest.approx(after[1])


def test_an_aggregate_that_cannot_be_is_named_with_the_reason():
    scores = np.array([[0.5, np.nan], [np.nan, 0.5]])
    found = stability(scores, by="borda", draws=5)
    assert "share no task" in found.refused["latent"]
    assert "latent" not in found.places
    with pytest.raises(InputError, match="share no task"):
        stability(scores, by="latent")


def test_the_same_seed_gives_the_same_ranges():
    first, second = (stability(some_scores(3), seed=1, draws=200) for _ in range(2))
    assert first.random.low.tolist() == second.random.low.tolist()
    assert first.random.first.tolist() == second.random.first.tolist()
    hair = np.array([[0.9, 0.5], [0.5, 0.89]])
    assert stability(hair, seed=1).random.first[0] != stability(hair, seed=2).random.first[0]
