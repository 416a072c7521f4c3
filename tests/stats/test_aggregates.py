import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats import AGGREGATES, aggregate, places_of

GRID = [0.0, 0.25, 0.5, 0.75, 1.0]
SIZES = st.tuples(st.integers(2, 7), st.integers(1, 5))
complete = SIZES.flatmap(lambda size: hnp.arrays(float, size, elements=st.sampled_from(GRID)))
gappy = SIZES.flatmap(lambda size: hnp.arrays(float, size, elements=st.sampled_from([*GRID, np.nan])))
weights_of = st.lists(st.floats(0.1, 5), min_size=5, max_size=5)


@given(complete, weights_of)
def test_the_mean_is_numpy_s_weighted_average(scores, weights):
    given_weights = np.array(weights[: scores.shape[1]])
    found = aggregate("mean", scores, given_weights)
    assert found.values == pytest.approx(np.average(scores, axis=1, weights=given_weights), abs=1e-9)
    assert aggregate("common", scores, given_weights).values == pytest.approx(found.values, abs=1e-9)
    assert found.tasks.all()


@given(complete, weights_of)
def test_borda_is_scipy_s_mean_rank_turned_round(scores, weights):
    count, share = len(scores), np.array(weights[: scores.shape[1]]) / sum(weights[: scores.shape[1]])
    ranks = rankdata(-scores, axis=0)
    assert aggregate("borda", scores, share).values == pytest.approx((count - ranks) @ share / (count - 1))


@given(complete, weights_of)
def test_without_gaps_win_rate_is_borda(scores, weights):
    weights = np.array(weights[: scores.shape[1]])
    found = [aggregate(by, scores, weights).values for by in ("borda", "win-rate")]
    assert found[0] == pytest.approx(found[1], abs=1e-9)


@given(gappy)
def test_the_win_rate_is_counted_pair_by_pair(scores):
    found = aggregate("win-rate", scores).values
    for entry, row in enumerate(scores):
        rates = []
        for task in np.flatnonzero(~np.isnan(row)):
            others = np.delete(scores[:, task], entry)
            others = others[~np.isnan(others)]
            if len(others):
                rates.append(np.mean((row[task] > others) + 0.5 * (row[task] == others)))
        assert found[entry] == pytest.approx(np.mean(rates) if rates else np.nan, nan_ok=True)


@given(gappy)
def test_where_a_cell_is_missing(scores):
    missing = np.isnan(scores)
    assert (np.isnan(aggregate("mean", scores).values) == missing.any(axis=1)).all()
    borda = aggregate("borda", scores).values
    assert (borda[missing.all(axis=1)] == 0).all()
    common = aggregate("common", scores)
    if common.tasks.any():
        ranked = ~np.isnan(common.values)
        assert (ranked == ~missing[:, common.tasks].any(axis=1)).all()
        assert common.values[ranked] == pytest.approx(scores[ranked][:, common.tasks].mean(axis=1), abs=1e-9)
        # Not smaller than what is there in any case: all complete entries on all tasks.
        assert ranked.sum() * common.tasks.sum() >= (~missing).all(axis=1).sum() * scores.shape[1]
    else:
        assert missing.all()


def test_the_common_set_leaves_out_one_bad_entry_and_one_rare_task():
    scores = np.full((6, 4), 0.5)
    scores[0, 1:] = np.nan
    scores[1:5, 3] = np.nan
    found = aggregate("common", scores)
    assert found.tasks.tolist() == [True, True, True, False]
    assert np.isnan(found.values).tolist() == [True, False, False, False, False, False]


@given(gappy, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(scores, random):
    order = random.sample(range(len(scores)), len(scores))
    for by in ("mean", "common", "borda", "win-rate"):
        values = aggregate(by, scores).values
        assert aggregate(by, scores[order]).values == pytest.approx(values[order], abs=1e-9, nan_ok=True)


@given(complete)
def test_who_is_best_everywhere_is_first_whatever_the_aggregate(scores):
    scores = np.vstack([scores, scores.max(axis=0) + 0.25]) / 2
    for by in AGGREGATES:
        assert places_of(aggregate(by, scores).values)[-1] == 1


def test_the_win_rate_of_two_can_be_turned_round_by_a_third():
    # What `win-rate` and `borda` are warned of: irrelevant alternatives are not irrelevant.
    two = np.array([[0.9, 0.5], [0.5, 0.6]])
    assert aggregate("win-rate", two).values == pytest.approx([0.5, 0.5])
    three = np.vstack([two, [0.8, 0.1]])
    first, second, _ = aggregate("win-rate", three).values
    assert first > second
    fourth, fifth, _ = aggregate("win-rate", np.vstack([two, [0.1, 0.55]])).values
    assert fourth < fifth
    assert places_of(aggregate("mean", three).values)[:2].tolist() == [1, 2]


def test_a_task_of_weight_nothing_is_not_looked_at():
    scores = np.array([[0.5, np.nan], [0.25, 1.0]])
    for by in AGGREGATES:
        found = aggregate(by, scores, np.array([2.0, 0.0]))
        assert places_of(found.values).tolist() == [1, 2]
        assert found.tasks.tolist() == [True, False]


def test_the_latent_index_places_an_entry_by_what_it_has():
    easy, hard = [0.9, 0.85, 0.7], [0.5, 0.4, 0.2]
    scores = np.array([easy, hard]).T
    scores = np.vstack([scores, [np.nan, 0.45]])
    # Of the hard task alone 45 % is a good score: the plain mean over what is there would put it last.
    assert np.nanmean(scores, axis=1).argmin() in (2, 3)
    assert places_of(aggregate("latent", scores).values).tolist() == [1, 3, 4, 2]
    assert np.isnan(aggregate("mean", scores).values[3])


def test_equal_values_share_their_place():
    assert places_of(np.array([0.5, np.nan, 0.75, 0.5, 0.1])).tolist()[2:] == [1, 2, 4]
    assert np.isnan(places_of(np.array([np.nan]))).all()
    # 0.1 + 0.2 and 0.3 are one value.
    scores = np.array([[0.1, 0.2], [0.15, 0.15]])
    assert places_of(aggregate("mean", scores).values).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("weights", "says"),
    [([1.0], "2 tasks, but weights"), ([1.0, -1.0], "not negative"), ([0.0, 0.0], "not all are 0")],
)
def test_weights_that_make_no_mean_are_refused(weights, says):
    with pytest.raises(InputError, match=says):
        aggregate("mean", np.ones((3, 2)), np.array(weights))


def test_other_names_and_shapes_are_refused():
    with pytest.raises(UnknownNameError, match="median"):
        aggregate("median", np.ones((3, 2)))
    with pytest.raises(InputError, match="entries × tasks"):
        aggregate("mean", np.ones(3))
