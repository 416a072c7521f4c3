"""A latent index: one ability per entry that explains its scores on tasks of different difficulty.

The two-parameter logistic model of item response theory (Birnbaum 1968) with tasks in the place of items, as
in Epoch's Capabilities Index: score_ik ≈ σ(a_k θ_i − b_k). θ is the ability of an entry, b the difficulty of
a task, a how sharply it tells good entries from bad ones. An entry that was not run on all tasks is placed by
those that it was run on, as the others' scores say how hard these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, log_expit, logit

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

SPREAD = 0.5
"""The standard deviation of the log-normal prior on a_k: how far discriminations are expected to differ."""
ITEMS = 100.0
"""How many items are thought to stand behind a score where nobody says."""
MOST_STEPS = 500
TOLERANCE = 1e-9
NEAR = 0.01
"""Steps below this in logits are near the top."""
SHORTEST = 1e-6


@dataclass(frozen=True)
class LatentIndex:
    """`ability` θ (logits, mean 0) with its standard `error`, shape (M,); `difficulty` b and
    `discrimination` a (geometric mean 1), shape (K,).

    `expected`, shape (M,), is the ability as a score: the weighted mean over all tasks that the model gives
    an entry. `dispersion` is the variance of the scores about the model, in units of p(1 − p); it and the
    errors are NaN where there are too few cells to tell.
    """

    ability: Array
    error: Array
    difficulty: Array
    discrimination: Array
    expected: Array
    dispersion: float


@dataclass(frozen=True)
class _Parameters:
    theta: Array
    b: Array
    log_a: Array

    @property
    def linear(self) -> Array:
        """η = a_k θ_i − b_k, shape (M, K)."""
        return np.exp(self.log_a) * self.theta[:, None] - self.b

    def moved(self, step: _Parameters, length: float) -> _Parameters:
        return _Parameters(
            self.theta + length * step.theta, self.b + length * step.b, self.log_a + length * step.log_a
        )

    def centred(self) -> _Parameters:
        """The same η with abilities of mean 0 and discriminations of geometric mean 1."""
        scale, middle = float(np.exp(self.log_a.mean())), float(self.theta.mean())
        b = self.b - np.exp(self.log_a) * middle
        return _Parameters((self.theta - middle) * scale, b, self.log_a - self.log_a.mean())


@dataclass(frozen=True)
class _Information:
    """Fisher's information with the abilities eliminated: `theta` (M,) is their diagonal, `cross` (M, T)
    their block with the tasks' parameters, `reduced` (T, T) the Schur complement, made regular."""

    theta: Array
    cross: Array
    reduced: Array


def latent_index(
    scores: Array,
    weights: Array | None = None,
    *,
    items: Array | None = None,
    discrimination: bool = True,
) -> LatentIndex:
    """Fit the model to the cells that are there, by Fisher scoring on the weighted quasi-likelihood

    Σ w_k [y η − log(1 + e^η)] − φ Σ (log a_k)² / (2·0.5²), η = a_k θ_i − b_k.

    The dispersion φ comes from the model with a_k = 1 (Rasch 1960), so that tasks discriminate differently
    only as far as the data show it; with `discrimination` False, or too few cells, that model is the result.
    Its order is that of the weighted mean wherever nothing is missing: θ_i depends on Σ_k w_k y_ik alone.

    A score is kept inside (0, 1): below chance counts as chance, and half an item is imagined right and half
    wrong, so that a perfect entry has a finite ability. Standard errors are √φ times those of the
    information: they treat how well an entry happens to suit a task as noise, and so are for tasks like
    these.

    Args:
        scores: shape (M, K), normalised, NaN where missing.
        weights: shape (K,), positive. items: shape (M, K), how many stand behind each score.

    Raises:
        InputError: an entry or a task has no score, or entries and tasks fall into groups that nothing
            connects: their abilities cannot be compared.
    """
    present = ~np.isnan(scores)
    _check(present)
    entries, tasks = scores.shape
    share = np.ones(tasks) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = np.where(present, share * (tasks / share.sum()), 0.0)
    y = _inside(scores, items)
    start = _Parameters(np.zeros(entries), -logit((weight * y).sum(0) / weight.sum(0)), np.zeros(tasks))
    found = _fit(start, y, weight, None)
    spare = int(present.sum()) - entries - tasks + 1
    dispersion = _dispersion(found, y, weight, spare)
    if discrimination and min(spare, tasks - 1) > 0:
        # A perfect fit still has a scale: the penalty must not vanish.
        penalty = max(dispersion, 1e-6) / SPREAD**2
        found = _fit(found, y, weight, penalty)
        dispersion = _dispersion(found, y, weight, spare - tasks + 1)
        information = _information(found, weight, penalty)
    else:
        information = _information(found, weight, None)
    return LatentIndex(
        ability=found.theta,
        error=np.sqrt(dispersion * _variances(information)),
        difficulty=found.b,
        discrimination=np.exp(found.log_a),
        expected=expit(found.linear) @ (share / share.sum()),
        dispersion=dispersion,
    )


def connected_groups(present: Array) -> Array:
    """A number from 0 for each entry's group: entries of one group are linked by tasks that both have, or by
    a chain of such entries. Shape (M,)."""
    entries, tasks = present.shape
    rows, columns = np.nonzero(present)
    size = entries + tasks
    links = csr_array((np.ones(len(rows)), (rows, columns + entries)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    return np.unique(labels[:entries], return_inverse=True)[1].astype(np.float64)


def _check(present: Array) -> None:
    for axis, what in ((1, "entry"), (0, "task")):
        empty = np.flatnonzero(~present.any(axis=axis))
        if len(empty):
            raise InputError(
                f"{what} {int(empty[0])} (counted from 0) has no score at all",
                remedy="leave it out: nothing can be said about it",
            )
    groups = connected_groups(present)
    if groups.max() > 0:
        raise InputError(
            f"the entries fall into {int(groups.max()) + 1} groups that share no task, such as "
            f"{np.flatnonzero(groups == groups.max())[:5].tolist()} (counted from 0)",
            remedy="abilities are comparable only through shared tasks: run one entry on tasks of both groups",
        )


def _inside(scores: Array, items: Array | None) -> Array:
    """The scores as shares between 0 and 1, pulled in by one imagined item, half right; 0 where missing."""
    count = np.full(scores.shape, ITEMS) if items is None else np.asarray(items, dtype=np.float64)
    clipped = np.clip(np.where(np.isnan(scores), 0.0, scores), 0.0, 1.0)
    count = np.where(np.isnan(scores), 1.0, count)
    return np.asarray((count * clipped + 0.5) / (count + 1), dtype=np.float64)


def _fit(start: _Parameters, y: Array, weight: Array, penalty: float | None) -> _Parameters:
    """Scoring steps, near the top Newton's, until the largest is below the tolerance.

    Where the entries hardly differ scoring creeps; Newton's steps do not, and may lead astray farther off.
    """
    found, change = start, np.inf
    for _ in range(MOST_STEPS):
        tried = None
        if change < NEAR:
            tried = _climb(found, _step(found, y, weight, penalty, observed=True), y, weight, penalty, 1.0)
        if tried is None:
            tried = _climb(found, _step(found, y, weight, penalty), y, weight, penalty, SHORTEST)
        if tried is None:
            return found
        change = max(float(np.abs(tried.theta - found.theta).max()), float(np.abs(tried.b - found.b).max()))
        found = tried
        if change < TOLERANCE:
            return found
    raise InputError(
        f"the latent index did not settle in {MOST_STEPS} steps", remedy="use another aggregate: mean, borda"
    )


def _climb(
    at: _Parameters, step: _Parameters, y: Array, weight: Array, penalty: float | None, shortest: float
) -> _Parameters | None:
    """Where the step leads, halved while it goes down; None where even the shortest one does."""
    height = _height(at, y, weight, penalty)
    length = 1.0
    while length >= shortest:
        # A step that leads astray may overflow; its height is then NaN, and it is not taken.
        with np.errstate(over="ignore", invalid="ignore"):
            tried = at.moved(step, length).centred()
            reached = _height(tried, y, weight, penalty)
        if reached >= height - 1e-12 * abs(height):
            return tried
        length /= 2
    return None


def _height(at: _Parameters, y: Array, weight: Array, penalty: float | None) -> float:
    """The penalised quasi-likelihood: y η − log(1 + e^η) = y η + log σ(−η)."""
    linear = at.linear
    gained = float((weight * (y * linear + log_expit(-linear))).sum())
    return gained - (0.0 if penalty is None else penalty * float(np.square(at.log_a).sum()) / 2)


def _step(
    at: _Parameters, y: Array, weight: Array, penalty: float | None, *, observed: bool = False
) -> _Parameters:
    """A step of Fisher scoring; with `observed` one of Newton's."""
    a = np.exp(at.log_a)
    residual = weight * (y - expit(at.linear))
    slope_theta = residual @ a
    slope_tasks = -residual.sum(axis=0)
    if penalty is not None:
        slope_tasks = np.concatenate([slope_tasks, a * (at.theta @ residual) - penalty * at.log_a])
    found = _information(at, weight, penalty, residual if observed else None)
    tasks = np.linalg.solve(found.reduced, slope_tasks - found.cross.T @ (slope_theta / found.theta))
    theta = (slope_theta - found.cross @ tasks) / found.theta
    count = len(at.b)
    return _Parameters(theta, tasks[:count], tasks[count:] if penalty is not None else np.zeros(count))


def _information(
    at: _Parameters, weight: Array, penalty: float | None, residual: Array | None = None
) -> _Information:
    """Fisher's information; with `residual` the observed one, which has the second derivatives of η too."""
    a = np.exp(at.log_a)
    probability: Array = expit(at.linear)
    v = weight * probability * (1 - probability)
    theta = v @ np.square(a)
    cross, own = -a * v, np.diag(v.sum(axis=0))
    if penalty is not None:
        tilt = a * at.theta[:, None]
        both = np.diag(-(tilt * v).sum(axis=0))
        bend = np.zeros_like(v) if residual is None else residual
        last = (np.square(tilt) * v - tilt * bend).sum(axis=0) + penalty
        own = np.block([[own, both], [both, np.diag(last)]])
        cross = np.hstack([cross, a * (tilt * v - bend)])
    reduced = own - cross.T @ (cross / theta[:, None])
    # To move all abilities and difficulties together changes nothing: that direction is given a curvature.
    free = np.zeros(len(reduced))
    free[: len(a)] = a / np.linalg.norm(a)
    return _Information(theta, cross, reduced + float(np.trace(own)) / len(own) * np.outer(free, free))


def _variances(found: _Information) -> Array:
    """The variance of each ability about their mean: the diagonal of P(D⁻¹ + F S⁻¹ Fᵀ)P, P = I − 11ᵀ/M."""
    count = len(found.theta)
    towards = found.cross / found.theta[:, None]
    spread = np.linalg.solve(found.reduced, towards.T)
    diagonal = 1 / found.theta + (towards * spread.T).sum(axis=1)
    with_mean = (1 / found.theta + towards @ spread.sum(axis=1)) / count
    return np.asarray(np.maximum(diagonal - 2 * with_mean + with_mean.mean(), 0.0))


def _dispersion(at: _Parameters, y: Array, weight: Array, spare: int) -> float:
    """Pearson's: Σ w (y − p)² / (p(1 − p)) over the cells that are not used up by parameters."""
    if spare <= 0:
        return float("nan")
    p: Array = expit(at.linear)
    return float((weight * np.square(y - p) / (p * (1 - p))).sum()) / spare
