import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats.group_gaps import gap_of, widest_gap, worst_group_gap

values = hnp.arrays(float, 30, elements=st.sampled_from([0.0, 0.5, 1.0]))
groups = hnp.arrays(int, 30, elements=st.integers(0, 3)).filter(lambda g: len(set(g)) > 1)


@given(values, groups, st.randoms(use_true_random=False))
def test_what_always_holds(scores, of, random):
    order = list(range(30))
    random.shuffle(order)
    for found, again in (
        (worst_group_gap(scores, of), worst_group_gap(scores[order], of[order])),
        (widest_gap(scores, of, range(30)), widest_gap(scores[order], of[order], order)),
    ):
        assert 0 <= found.low <= found.estimate <= found.high <= 1
        assert found.high > found.low
        assert (found.estimate, found.low, found.high) == pytest.approx(
            (again.estimate, again.low, again.high)
        )


def test_values_by_hand():
    scores, of = [1.0, 1, 1, 1, 0, 0, 1, 0], list("aaaabbbb")
    assert worst_group_gap(scores, of).estimate == pytest.approx(5 / 8 - 1 / 4)
    assert widest_gap(scores, of, range(8)).estimate == pytest.approx(3 / 4)
    assert gap_of(scores, of, against_all=True) == pytest.approx(3 / 8)
    assert gap_of([], [], against_all=True) != gap_of([], [], against_all=True)
    assert gap_of([0.5], ["a"], against_all=True) == 0


def test_the_standard_error_of_two_groups_is_that_of_the_influences():
    """θ − θ_b of two groups is n_a/n · (θ_a − θ_b); the delta method keeps the group sizes random."""
    rng = np.random.default_rng(0)
    of = rng.random(4000) < 0.3
    scores = (rng.random(4000) < np.where(of, 0.5, 0.8)).astype(float)
    found = worst_group_gap(scores, of)
    drawn = []
    for _ in range(2000):
        chosen = rng.integers(0, 4000, 4000)
        drawn.append(scores[chosen].mean() - scores[chosen][of[chosen]].mean())
    half = 1.96 * np.std(drawn)
    assert found.high - found.estimate == pytest.approx(half, rel=0.06)
    assert found.estimate - found.low > found.high - found.estimate  # Bonferroni reaches further down


@pytest.mark.parametrize(
    ("chances", "sizes"),
    [
        ([0.7] * 4, [60] * 4),
        ([0.7, 0.7, 0.5], [100, 60, 40]),
        ([0.9] * 6, [150, 80, 40, 20, 15, 10]),
        ([0.7] * 12, [40] * 12),
    ],
)
def test_coverage(chances, sizes):
    rng, count = np.random.default_rng(1), replicates(2000)
    of, chances, sizes = np.repeat(np.arange(len(sizes)), sizes), np.array(chances), np.array(sizes)
    truth = round(float((sizes * chances).sum() / sizes.sum() - chances.min()), 9)
    spread = round(float(np.ptp(chances)), 9)
    covered, widest, naive = 0, 0, 0
    for _ in range(count):
        scores = (rng.random(len(of)) < chances[of]).astype(float)
        found = worst_group_gap(scores, of)
        covered += found.low <= truth <= found.high
        all_pairs = widest_gap(scores, of, range(len(of)))
        widest += all_pairs.low <= spread <= all_pairs.high
        worst = min(range(len(sizes)), key=lambda g: scores[of == g].mean())
        inside = scores[of == worst]
        error = inside.std(ddof=1) / np.sqrt(len(inside))
        naive += abs(scores.mean() - inside.mean() - truth) <= 1.96 * error
    slack = 3 * np.sqrt(0.95 * 0.05 / count)
    assert covered / count >= 0.95 - slack
    assert widest / count >= 0.95 - slack
    if len(sizes) == 12:
        assert naive / count < 0.9, "the interval of the worst group as if it had been named before would do"


def test_clusters_widen_it():
    rng = np.random.default_rng(2)
    scores = np.repeat((rng.random(40) < 0.6).astype(float), 10)
    of, clusters = np.repeat(np.arange(40) % 2, 10), np.repeat(np.arange(40), 10)
    plain, robust = worst_group_gap(scores, of), worst_group_gap(scores, of, clusters)
    assert (plain.clusters, robust.clusters) == (None, 40)
    assert robust.high - robust.low > 2 * (plain.high - plain.low)
    assert robust.method == "worst of 2 groups, CR1·t, Bonferroni"


def test_items_that_stand_in_several_groups_are_paired():
    rng = np.random.default_rng(3)
    item = (rng.random(300) < 0.5).astype(float)
    scores, of, items = np.concatenate([item, item]), np.repeat([0, 1], 300), np.tile(np.arange(300), 2)
    paired, apart = widest_gap(scores, of, items), widest_gap(scores, of, np.arange(600))
    assert paired.estimate == apart.estimate == 0
    assert paired.clusters == 300
    assert paired.high <= apart.high


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="two at least"):
        worst_group_gap([1.0, 0.0], ["a", "a"])
    with pytest.raises(InputError, match="one cluster key per value"):
        worst_group_gap([1.0, 0.0], ["a"])
