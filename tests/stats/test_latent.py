import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats import aggregate, latent_index, places_of


def drawn(seed, entries=12, tasks=6, n=400, spread=1.0, missing=0.0, discrimination=0.0):
    """Scores of entries whose abilities are known, and those abilities."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=entries) * spread
    a = np.exp(rng.normal(size=tasks) * discrimination)
    p = expit(np.outer(ability, a) - rng.normal(size=tasks))
    scores = rng.binomial(n, p) / n
    gaps = rng.random(scores.shape) < missing
    gaps[:, 0] = False
    scores[gaps] = np.nan
    return scores, ability


def test_the_rasch_form_is_a_quasi_binomial_regression_of_statsmodels():
    scores, _ = drawn(0, entries=5, tasks=4, missing=0.2)
    weights = np.array([1.0, 2.0, 1.0, 0.5])
    found = latent_index(scores, weights, items=np.full(scores.shape, 400.0), discrimination=False)
    rows, columns = np.nonzero(~np.isnan(scores))
    y = (400 * scores[rows, columns] + 0.5) / 401
    # One column per entry, and per task but the first; then both are brought to abilities of mean 0.
    design = np.zeros((len(y), 5 + 3))
    design[np.arange(len(y)), rows] = 1.0
    later = columns > 0
    design[np.flatnonzero(later), 4 + columns[later]] = -1.0
    weight = (weights * 4 / weights.sum())[columns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(y, design, family=sm.families.Binomial(), var_weights=weight)
        reference = model.fit(scale="X2", tol=1e-12, maxiter=200)
    theta = reference.params[:5] - reference.params[:5].mean()
    assert found.ability == pytest.approx(theta, abs=1e-6)
    assert found.discrimination.tolist() == [1.0] * 4
    assert found.dispersion == pytest.approx(reference.scale, rel=1e-6)
    centre = np.eye(5) - 1 / 5
    errors = np.sqrt(np.diag(centre @ reference.cov_params()[:5, :5] @ centre))
    assert found.error == pytest.approx(errors, rel=1e-5)


def test_the_two_parameter_form_is_scipy_s_maximum():
    scores, _ = drawn(1, entries=8, tasks=5, discrimination=0.4)
    items = np.full(scores.shape, 400.0)
    y = (400 * scores + 0.5) / 401
    found = latent_index(scores, items=items)
    penalty = latent_index(scores, items=items, discrimination=False).dispersion / 0.5**2

    def loss(x):
        theta, b, log_a = x[:8], x[8:13], x[13:]
        eta = np.outer(theta - theta.mean(), np.exp(log_a - log_a.mean())) - b
        return -(y * eta - np.logaddexp(0, eta)).sum() + penalty * np.square(log_a - log_a.mean()).sum() / 2

    x = minimize(loss, np.zeros(18), method="BFGS", options={"gtol": 1e-8, "maxiter": 5000}).x
    assert found.ability == pytest.approx(x[:8] - x[:8].mean(), abs=1e-4)
    assert np.log(found.discrimination) == pytest.approx(x[13:] - x[13:].mean(), abs=1e-4)
    assert found.difficulty == pytest.approx(x[8:13], abs=1e-4)


def test_the_abilities_are_found():
    scores, ability = drawn(2, entries=60, tasks=12, missing=0.4, discrimination=0.3)
    found = latent_index(scores)
    centred = ability - ability.mean()
    assert np.corrcoef(found.ability, centred)[0, 1] > 0.99
    # The mean of what each entry has is misled by which tasks it has.
    plain = np.nanmean(scores, axis=1)
    assert np.corrcoef(found.ability, centred)[0, 1] > np.corrcoef(plain, centred)[0, 1] + 0.02


def test_the_errors_are_those_of_new_draws():
    rng = np.random.default_rng(3)
    ability, difficulty = rng.normal(size=10), rng.normal(size=8)
    p, repeats, errors = expit(ability[:, None] - difficulty), [], []
    for _ in range(replicates(400)):
        found = latent_index(rng.binomial(100, p) / 100, discrimination=False)
        repeats.append(found.ability)
        errors.append(np.square(found.error))
    ratio = np.mean(errors, axis=0).mean() / np.var(repeats, axis=0, ddof=1).mean()
    # Of 10 variances from R draws each, about 3 standard errors.
    assert abs(ratio - 1) < 3 * np.sqrt(2 / len(repeats) / 10) + 0.05


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_without_gaps_the_rasch_order_is_that_of_the_mean(seed):
    scores, _ = drawn(seed, n=50)
    weights = np.random.default_rng(seed).uniform(0.5, 2, scores.shape[1])
    found = latent_index(scores, weights, discrimination=False)
    pulled = (100 * scores + 0.5) / 101
    assert (np.argsort(found.ability) == np.argsort(found.expected)).all()
    assert (
        places_of(np.round(found.ability, 6)).tolist()
        == places_of(np.round(aggregate("mean", pulled, weights).values, 9)).tolist()
    )


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=25)
def test_it_settles_on_a_top_even_where_nobody_is_better(seed, spread):
    # Where the entries are equal there is hardly an ability to find: plain scoring creeps there.
    scores, _ = drawn(seed, entries=40, tasks=10, n=50, spread=spread)
    found = latent_index(scores)
    assert abs(found.ability.mean()) < 1e-9
    assert abs(np.log(found.discrimination).mean()) < 1e-9
    assert ((found.expected > 0) & (found.expected < 1)).all()
    again = latent_index(scores[::-1])
    assert again.ability[::-1] == pytest.approx(found.ability, abs=1e-6)


def test_perfect_and_hopeless_entries_have_finite_abilities():
    found = latent_index(np.array([[1.0, 1.0, 1.0], [0.5, 0.25, 0.75], [-0.1, 0.0, 0.0]]))
    assert np.isfinite(found.ability).all()
    assert (np.diff(found.ability) < 0).all()


def test_too_few_cells_have_no_errors():
    found = latent_index(np.array([[0.5], [0.75]]))
    assert np.isnan(found.dispersion)
    assert np.isnan(found.error).all()
    assert found.ability[1] > found.ability[0]


def test_what_nothing_connects_is_refused():
    nan = np.nan
    apart = np.array([[0.5, nan], [0.4, nan], [nan, 0.9]])
    with pytest.raises(InputError, match=r"2 groups that share no task.*\[2\]"):
        latent_index(apart)
    with pytest.raises(InputError, match=r"entry 1 .*no score"):
        latent_index(np.array([[0.5, 0.5], [nan, nan]]))
    with pytest.raises(InputError, match=r"task 1 .*no score"):
        latent_index(np.array([[0.5, nan], [0.5, nan]]))
    joined = np.vstack([apart, [0.5, 0.5]])
    assert places_of(latent_index(joined).expected)[2] == 1
