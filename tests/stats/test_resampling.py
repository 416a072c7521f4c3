import numpy as np
import pytest

from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats import AGGREGATES, TaskMatrix, aggregate, normalised_means, places_of, resampled_places


def board(seed, accuracies=(0.8, 0.7, 0.5), n=60, weight=1.0):
    rng = np.random.default_rng(seed)
    return TaskMatrix(
        (rng.random((len(accuracies), n)) < np.array(accuracies)[:, None]).astype(float), weight
    )


def test_the_normalised_means_of_what_is_there():
    values = np.array([[1.0, 0.0, np.nan], [np.nan, np.nan, np.nan]])
    found = normalised_means([TaskMatrix(values), TaskMatrix(values)], [0.25, None])
    assert found[0] == pytest.approx([(0.5 - 0.25) / 0.75, 0.5])
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("by", AGGREGATES)
def test_it_is_the_whole_way_again_for_each_resample(by):
    tasks, chances = [board(0, weight=2.0), board(1, n=40)], [0.25, None]
    found = resampled_places(tasks, chances, by, seed=5, resamples=45, level=0.9)
    rng = np.random.default_rng(5)
    counts = [rng.multinomial(n, np.full(n, 1 / n), size=45) for n in (60, 40)]
    values = []
    for draw in range(45):
        means = [
            (np.repeat(task.values, count[draw], axis=1).mean(axis=1) - (chance or 0)) / (1 - (chance or 0))
            for task, count, chance in zip(tasks, counts, chances, strict=True)
        ]
        items = np.tile([60.0, 40.0], (3, 1))
        values.append(aggregate(by, np.stack(means, axis=1), np.array([2.0, 1.0]), items=items).values)
    places = places_of(np.stack(values))
    assert found.value_low == pytest.approx(np.sort(values, axis=0)[2], abs=1e-9)  # 5 % of 45
    assert found.low.tolist() == np.sort(places, axis=0)[2].tolist()
    assert found.high.tolist() == np.sort(places, axis=0)[42].tolist()
    assert found.first == pytest.approx((places == 1).mean(axis=0))


def test_clusters_are_drawn_whole_and_widen_it():
    rng = np.random.default_rng(2)
    easy = np.repeat(rng.random((3, 12)) < np.array([[0.7], [0.6], [0.5]]), 10, axis=1).astype(float)
    clusters = [item // 10 for item in range(120)]
    alone = resampled_places([TaskMatrix(easy)], [None], "mean", seed=0)
    whole = resampled_places([TaskMatrix(easy, 1.0, clusters)], [None], "mean", seed=0)
    ratio = (whole.value_high - whole.value_low) / (alone.value_high - alone.value_low)
    assert (ratio > 2.3).all()  # √10 if it were exact


def test_entries_that_were_not_asked_alike():
    values = np.ones((3, 20))
    values[1, 10:] = 0.0
    values[2] = np.nan
    found = resampled_places([TaskMatrix(values)], [None], "mean", seed=0, resamples=100)
    assert np.isnan([found.low[2], found.high[2], found.first[2], found.value_low[2]]).all()
    assert (found.first[0], found.high[0], found.low[1]) == (1.0, 1, 2)


@pytest.mark.parametrize("by", AGGREGATES)
def test_an_item_that_is_not_drawn_is_no_error(by):
    values = np.ones((3, 30))
    values[1, :15] = 0.0
    values[2, 1:] = np.nan
    found = resampled_places([TaskMatrix(values)], [None], by, seed=0, resamples=100)
    assert found.low[0] == 1


def test_too_few_resamples_have_no_such_quantile():
    with pytest.raises(InputError, match=r"30 resamples have no 2\.5"):
        resampled_places([board(0)], [None], "borda", seed=0, resamples=30)


def test_entries_that_are_apart_keep_their_places():
    """Of well separated entries the range holds the true place about as often as it says, one entry at a time."""
    held, count = 0, replicates(400, everyday=60)
    for seed in range(count):
        tasks = [board(3 * seed + k, (0.8, 0.7, 0.6, 0.5), n=150) for k in range(2)]
        found = resampled_places(tasks, [None, None], "borda", seed=seed, resamples=100)
        held += int(((found.low <= [1, 2, 3, 4]) & (found.high >= [1, 2, 3, 4])).sum())
    share = held / (4 * count)
    assert share > 0.95 - 3 * np.sqrt(0.95 * 0.05 / count)
