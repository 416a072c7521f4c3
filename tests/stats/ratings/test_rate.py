from __future__ import annotations

from dataclasses import replace

import choix
import evalica
import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components

from battlefields import fight
from tianti.core.exceptions import InputError
from tianti.stats.moments import quantile
from tianti.stats.ratings import FIRST_WINS, SECOND_WINS, TIE, Battles, count, rate
from tianti.stats.ratings.existence import check_connected, check_tie_rate
from tianti.stats.ratings.newton import cell_counts, fit, pair_cells

WINNER = {FIRST_WINS: evalica.Winner.X, SECOND_WINS: evalica.Winner.Y, TIE: evalica.Winner.Draw}


def of_lists(first, second, outcome, **more):
    return Battles(
        np.asarray(first),
        np.asarray(second),
        np.asarray(outcome, dtype=np.int8),
        max(*first, *second) + 1,
        **more,
    )


def by_evalica(battles):
    found = evalica.bradley_terry(
        battles.first.tolist(), battles.second.tolist(), [WINNER[o] for o in battles.outcome.tolist()],
        tolerance=1e-14, limit=100_000,
    ).scores  # fmt: skip
    logs = np.log([found[index] for index in range(battles.models)])
    return logs - logs.mean()


@st.composite
def linked_battles(draw, models=5):
    """Random battles in which everyone also wins once in a circle, so that ratings exist."""
    triples = st.tuples(st.integers(0, models - 1), st.integers(1, models - 1), st.integers(0, 2))
    rows = draw(st.lists(triples, max_size=60))
    circle = [(index, 1, FIRST_WINS) for index in range(models)]
    first, step, outcome = np.array(circle + rows).T
    return Battles(first, (first + step) % models, outcome.astype(np.int8), models)


@settings(max_examples=40, deadline=None)
@given(linked_battles())
def test_ties_as_halves_equal_evalica(battles):
    assert rate(battles, ties="half").strengths == pytest.approx(by_evalica(battles), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(linked_battles())
def test_without_ties_it_equals_choix(battles):
    decided = battles.select(battles.outcome != TIE)
    swapped = decided.outcome == SECOND_WINS
    pairs = np.stack([decided.first, decided.second], axis=1)
    pairs[swapped] = pairs[swapped][:, ::-1]
    expected = choix.ilsr_pairwise(battles.models, pairs.tolist(), max_iter=1000, tol=1e-10)
    found = rate(battles, ties="drop")
    assert found.strengths == pytest.approx(expected - expected.mean(), abs=1e-6)
    assert found.n + found.dropped == len(battles)


def test_davidson_is_the_maximum_of_its_likelihood():
    battles = fight(np.random.default_rng(0), np.linspace(-1, 1, 6), 900, nu=0.8)
    counts = count(battles)

    def loss(parameters):
        pi, nu = np.exp(parameters[:6]), np.exp(parameters[6])
        draw = nu * np.sqrt(np.outer(pi, pi))
        total = pi[:, None] + pi[None, :] + draw
        won = counts.wins * np.log(pi[:, None] / total)
        return -(won.sum() + (counts.ties * np.log(draw / total)).sum() / 2)

    best = minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-7}).x
    found = rate(battles)
    assert found.strengths == pytest.approx(best[:6] - best[:6].mean(), abs=1e-5)
    nu = found.nu()
    assert nu.estimate == pytest.approx(np.exp(best[6]), abs=1e-5)
    assert nu.low < 0.8 < nu.high


def test_davidson_without_ties_is_bradley_terry_and_says_so():
    battles = fight(np.random.default_rng(1), np.linspace(-1, 1, 5), 300)
    found = rate(battles)
    assert found.strengths == pytest.approx(rate(battles, ties="half").strengths)
    assert found.nu() is None
    assert "no ties" in found.method


def design(battles):
    """Of a logistic regression without an intercept whose first model has strength 0."""
    n = len(battles)
    matrix = np.zeros((n, battles.models))
    matrix[np.arange(n), battles.first] = 1
    matrix[np.arange(n), battles.second] -= 1
    return np.hstack([matrix[:, 1:], *([] if battles.style is None else [battles.style])])


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("style", [(), (0.25, -0.1)])
def test_covariance_and_style_equal_statsmodels(clustered, style):
    battles = fight(
        np.random.default_rng(2),
        np.linspace(-1, 1, 5),
        600,
        gamma=style,
        votes=8 if clustered else 1,
        taste=0.5,
    )
    won = (battles.outcome == FIRST_WINS).astype(float)
    model = sm.Logit(won, design(battles))
    if clustered:
        fit = model.fit(disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": battles.clusters[0]})
        errors = fit.bse
    else:
        fit = model.fit(disp=0, tol=1e-12, cov_type="HC0")
        errors = fit.bse * np.sqrt(600 / (600 - len(fit.params)))  # HC1
    found = rate(battles, ties="drop")
    assert found.strengths[1:] - found.strengths[0] == pytest.approx(fit.params[:4], abs=1e-7)
    assert found.difference_errors()[0, 1:] == pytest.approx(errors[:4], rel=1e-6)
    for index, gamma in enumerate(found.style()):
        assert gamma.estimate == pytest.approx(fit.params[4 + index], abs=1e-7)
        spread = (gamma.high - gamma.low) / 2 / quantile(0.95, found.freedom)
        assert spread == pytest.approx(errors[4 + index], rel=1e-6)


def test_each_voter_alone_is_no_clustering():
    battles = fight(np.random.default_rng(3), np.linspace(-1, 1, 5), 400, nu=0.5)
    alone = replace(battles, clusters=(np.arange(400),))
    assert rate(alone).difference_errors() == pytest.approx(rate(battles).difference_errors(), rel=2e-3)


def test_clusters_under_davidson_equal_their_definition():
    battles = fight(np.random.default_rng(4), np.linspace(-1, 1, 4), 300, nu=0.7, votes=10, taste=0.7)
    found = rate(battles)
    strengths, nu = found.strengths, np.exp(found.fit.log_nu)
    scores = np.zeros((300, 5))
    for row, (i, j, outcome) in enumerate(zip(battles.first, battles.second, battles.outcome, strict=True)):
        weights = np.array([np.exp(strengths[i]), np.exp(strengths[j]), 0.0])
        weights[2] = nu * np.sqrt(weights[0] * weights[1])
        p = weights / weights.sum()
        half_tie = p[0] + p[2] / 2
        earned = (1.0, 0.0, 0.5)[outcome]
        scores[row, i], scores[row, j] = earned - half_tie, half_tie - earned
        scores[row, 4] = (outcome == TIE) - p[2]
    sums = np.stack([scores[battles.clusters[0] == c].sum(axis=0) for c in range(30)])
    expected = 30 / 29 * 299 / (300 - 4) * found.fit.bread @ sums.T @ sums @ found.fit.bread
    assert found.covariances[0] == pytest.approx(expected, rel=1e-8, abs=1e-12)
    assert found.freedom == 29


def test_two_ways_of_clustering_are_never_surer_than_one():
    battles = fight(np.random.default_rng(5), np.linspace(-1, 1, 5), 400, nu=0.5, votes=8, taste=0.5)
    prompts = np.random.default_rng(0).integers(12, size=400)
    both = rate(replace(battles, clusters=(battles.clusters[0], prompts)))
    assert both.clusters == (50, 12)
    assert both.freedom == 11
    for codes in (battles.clusters[0], prompts):
        one = rate(replace(battles, clusters=(codes,)))
        assert (both.difference_errors() >= one.difference_errors() - 1e-12).all()


def test_one_cluster_tells_nothing():
    battles = fight(np.random.default_rng(6), np.linspace(-1, 1, 4), 200)
    found = rate(replace(battles, clusters=(np.zeros(200, dtype=int),)))
    assert found.difference(0, 1).low is None
    assert found.ranks().low.tolist() == [1] * 4
    assert found.ranks().high.tolist() == [4] * 4


@settings(max_examples=20, deadline=None)
@given(linked_battles(), st.permutations(range(5)), st.randoms())
def test_order_and_sides_change_nothing(battles, order, random):
    flipped = np.array([random.random() < 0.5 for _ in range(len(battles))])
    rows = np.array(random.sample(range(len(battles)), len(battles)))
    place = np.array(order)
    first, second = place[battles.first], place[battles.second]
    swap = {FIRST_WINS: SECOND_WINS, SECOND_WINS: FIRST_WINS, TIE: TIE}
    outcome = np.where(flipped, [swap[o] for o in battles.outcome.tolist()], battles.outcome).astype(np.int8)
    other = Battles(
        np.where(flipped, second, first)[rows], np.where(flipped, first, second)[rows], outcome[rows], 5
    )
    one, two = rate(battles, ties="half"), rate(other, ties="half")
    assert two.strengths[place] == pytest.approx(one.strengths, abs=1e-9)
    assert two.errors()[place] == pytest.approx(one.errors(), abs=1e-9)


def test_win_probabilities_are_those_of_the_model():
    battles = fight(np.random.default_rng(7), np.linspace(-1, 1, 4), 500, nu=0.8)
    found = rate(battles)
    win, tie = found.win_probabilities()
    i, j = 0, 3
    assert win[i, j] + win[j, i] + tie[i, j] == pytest.approx(1)
    assert np.log(win[i, j] / win[j, i]) == pytest.approx(found.strengths[i] - found.strengths[j])
    assert tie[i, j] / np.sqrt(win[i, j] * win[j, i]) == pytest.approx(found.nu().estimate)
    assert np.isnan(win[i, i])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(0, 1, 0), (1, 0, 0), (2, 3, 0), (3, 2, 0)], "c, d met none of the others"),
        ([(0, 1, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (0, 3, 0)], "c won all battles against the others"),
        ([(0, 1, 0), (1, 0, 0), (0, 2, 0), (3, 0, 2)], "c lost all battles against the others"),
    ],
)
@pytest.mark.parametrize("ties", ["davidson", "half"])
def test_battles_that_link_not_all_models_are_an_error_not_a_number(rows, says, ties):
    battles = of_lists(*zip(*rows, strict=True))
    with pytest.raises(InputError, match="do not link all 4 models") as error:
        rate(battles, ties=ties, names="abcd")
    assert says in str(error.value)
    assert "--prior" in str(error.value)


def test_a_chain_of_groups_is_described():
    rows = [(0, 1, 0), (1, 2, 0), (2, 3, 0), (3, 2, 0), (2, 4, 2)]
    with pytest.raises(InputError, match=r"b won all battles against some of the others and lost all"):
        rate(of_lists(*zip(*rows, strict=True)), names="abcde")


def test_a_tie_links_unless_ties_are_dropped():
    rows = [(0, 1, 0), (1, 0, 0), (1, 2, 2), (0, 2, 0), (2, 0, 0)]
    rate(of_lists(*zip(*rows, strict=True)))
    rows = [(0, 1, 0), (1, 0, 0), (1, 2, 2)]
    rate(of_lists(*zip(*rows, strict=True)), ties="half")
    with pytest.raises(InputError, match="model 2 met none"):
        rate(of_lists(*zip(*rows, strict=True)), ties="drop")


def test_a_tie_rate_that_cannot_be_told_is_an_error():
    # The better one never loses: the likelihood rises as both the margin and ν grow.
    rows = [(0, 1, 0), (0, 1, 0), (0, 1, 2)]
    battles = of_lists(*zip(*rows, strict=True))
    with pytest.raises(InputError, match="how often equal models tie"):
        rate(battles)
    assert np.isfinite(rate(battles, ties="half").strengths).all()
    assert np.isfinite(rate(battles, prior=0.5).strengths).all()
    # A won twice in a row over one whom it tied: no margins explain that.
    rows = [(0, 1, 0), (1, 2, 0), (0, 2, 2)]
    assert np.isfinite(rate(of_lists(*zip(*rows, strict=True))).strengths).all()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 2)), max_size=9))
def test_ratings_exist_or_it_is_said_that_they_do_not(rows):
    first, step, outcome = np.array([*rows, (0, 1, TIE)]).T
    counts = count(Battles(first, (first + step) % 4, outcome.astype(np.int8), 4))
    # The checks before the fit are complete: what passes them has a maximum, and what does not has none.
    try:
        check_connected(counts, "abcd")
        check_tie_rate(counts)
        passed = True
    except InputError:
        passed = False
    cells = pair_cells(counts)
    assert (cell_counts(cells).wins == counts.wins).all()
    assert (cell_counts(cells).ties == counts.ties).all()
    if connected_components(counts.wins + counts.ties)[0] > 1:
        assert not passed
        return
    try:
        farthest = np.abs(fit(cells, ties=True).parameters).max()
    except InputError:
        farthest = np.inf
    assert (farthest < 9) == passed


def test_a_prior_is_so_many_battles():
    battles = fight(np.random.default_rng(8), np.linspace(-1, 1, 4), 60)
    i, j = np.array([(i, j) for i in range(4) for j in range(4) if i != j]).T
    real = Battles(
        np.concatenate([battles.first, i, i]),
        np.concatenate([battles.second, j, j]),
        np.concatenate([battles.outcome, np.repeat([FIRST_WINS, SECOND_WINS], len(i))]).astype(np.int8),
        4,
    )
    imagined, joined = rate(battles, prior=2), rate(real)
    assert imagined.strengths == pytest.approx(joined.strengths, abs=1e-8)
    # They are no data: only the correction for small samples differs.
    factor = np.sqrt(60 / 57 * (len(real) - 3) / len(real))
    assert imagined.difference_errors() == pytest.approx(joined.difference_errors() * factor)
    assert "prior of 2 wins" in imagined.method
    assert imagined.n == 60
    styled = rate(replace(battles, style=np.random.default_rng(9).normal(size=(60, 1))), prior=2)
    assert len(styled.style()) == 1


def test_a_prior_makes_the_unbeaten_finite_but_not_sure():
    battles = of_lists([0] * 10, [1] * 10, [0] * 10)
    found = rate(battles, prior=0.5)
    gap = found.difference(0, 1)
    assert gap.estimate == pytest.approx(np.log(10.5 / 0.5))
    assert (gap.high - gap.low) / 2 / 1.96 == pytest.approx(
        np.sqrt(1 / 10.5 + 1 / 0.5) * np.sqrt(10 / 9), rel=0.01
    )


def test_covariates_that_cannot_be_told_apart_are_refused():
    battles = fight(np.random.default_rng(10), np.linspace(-1, 1, 4), 200)
    of_model = np.array([1.0, 2.0, 5.0, 3.0])
    collinear = (of_model[battles.first] - of_model[battles.second])[:, None]
    with pytest.raises(InputError, match="cannot be told apart"):
        rate(replace(battles, style=collinear))
    with pytest.raises(InputError, match="0 in every battle"):
        rate(replace(battles, style=np.zeros((200, 1))))
    separating = np.where(battles.outcome == FIRST_WINS, 1.0, -1.0)[:, None]
    with pytest.raises(InputError, match="no finite maximum"):
        rate(replace(battles, style=separating))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ties": "draw"}, "ties: expected davidson"),
        ({"prior": -1.0}, "prior: expected"),
        ({"prior": float("nan")}, "prior: expected"),
    ],
)
def test_options_that_make_no_sense(change, says):
    battles = fight(np.random.default_rng(11), np.zeros(3), 60)
    with pytest.raises(InputError, match=says):
        rate(battles, **change)


def test_only_ties_rank_nobody():
    with pytest.raises(InputError, match="all battles are ties"):
        rate(of_lists([0, 1], [1, 0], [2, 2]))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (([0, 1], [1], [0, 0]), "different lengths"),
        (([0, 1], [1, 1], [0, 0]), "against itself"),
        (([0, 1], [1, 7], [0, 0]), "not one of 0 … 2"),
        (([0, 1], [1, 2], [0, 3]), "an outcome is not"),
        (([], [], []), "no battles"),
    ],
)
def test_what_is_no_list_of_battles(fields, says):
    first, second, outcome = (np.asarray(field, dtype=int) for field in fields)
    with pytest.raises(InputError, match=says):
        Battles(first, second, outcome.astype(np.int8), 3)
    with pytest.raises(InputError, match="finite numbers of shape"):
        Battles(np.zeros(1, int), np.ones(1, int), np.zeros(1, np.int8), 2, np.full((1, 1), np.nan))


def test_counts():
    counts = count(of_lists([0, 0, 1, 1, 2], [1, 1, 0, 2, 1], [0, 1, 0, 2, 2]))
    assert counts.wins.tolist() == [[0, 1, 0], [2, 0, 0], [0, 0, 0]]
    assert counts.ties.tolist() == [[0, 0, 0], [0, 0, 2], [0, 2, 0]]
    assert counts.total == 5


@settings(max_examples=20, deadline=None)
@given(linked_battles())
def test_estimated_ranks_lie_in_their_intervals(battles):
    assume((battles.outcome != TIE).any())
    found = rate(battles, ties="half")
    place = 1 + (found.strengths[None, :] > found.strengths[:, None] + 1e-9).sum(axis=1)
    ranks = found.ranks()
    assert ((ranks.low <= place) & (place <= ranks.high)).all()
    assert ranks.family == 20
