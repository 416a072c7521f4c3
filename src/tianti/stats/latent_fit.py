"""Fitting of the latent index: penalised quasi-likelihood of η = a_k θ_i − b_k, by Fisher scoring and Newton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

MOST_STEPS = 500
TOLERANCE = 1e-9
NEAR = 0.01
"""Steps below this in logits are near the top."""
SHORTEST = 1e-6


@dataclass(frozen=True)
class Parameters:
    """Abilities `theta` (M,), difficulties `b` and logarithms of the discriminations `log_a` (K,)."""

    theta: Array
    b: Array
    log_a: Array

    @property
    def linear(self) -> Array:
        """η = a_k θ_i − b_k, shape (M, K)."""
        return np.exp(self.log_a) * self.theta[:, None] - self.b

    def moved(self, step: Parameters, length: float) -> Parameters:
        return Parameters(
            self.theta + length * step.theta, self.b + length * step.b, self.log_a + length * step.log_a
        )

    def centred(self) -> Parameters:
        """The same η with abilities of mean 0 and discriminations of geometric mean 1."""
        scale, middle = float(np.exp(self.log_a.mean())), float(self.theta.mean())
        b = self.b - np.exp(self.log_a) * middle
        return Parameters((self.theta - middle) * scale, b, self.log_a - self.log_a.mean())


@dataclass(frozen=True)
class Information:
    """Fisher's information with the abilities eliminated: `theta` (M,) is their diagonal, `cross` (M, T)
    their block with the tasks' parameters, `reduced` (T, T) the Schur complement, made regular."""

    theta: Array
    cross: Array
    reduced: Array


def fit(start: Parameters, y: Array, weight: Array, penalty: float | None) -> Parameters:
    """Maximise Σ w [y η − log(1 + e^η)] − penalty Σ (log a)² / 2; with `penalty` None all a stay as they are.

    Scoring steps, near the top Newton's, until the largest is below the tolerance. `y` and `weight` (M, K) are the
    scores and what each counts, 0 where missing.

    Where the entries hardly differ scoring creeps; Newton's steps do not, and may lead astray farther off.

    Raises:
        InputError: it does not settle.
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
    at: Parameters, step: Parameters, y: Array, weight: Array, penalty: float | None, shortest: float
) -> Parameters | None:
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


def _height(at: Parameters, y: Array, weight: Array, penalty: float | None) -> float:
    """The penalised quasi-likelihood: y η − log(1 + e^η) = y η + log σ(−η)."""
    linear = at.linear
    gained = float((weight * (y * linear + log_expit(-linear))).sum())
    return gained - (0.0 if penalty is None else penalty * float(np.square(at.log_a).sum()) / 2)


def _step(
    at: Parameters, y: Array, weight: Array, penalty: float | None, *, observed: bool = False
) -> Parameters:
    """A step of Fisher scoring; with `observed` one of Newton's."""
    a = np.exp(at.log_a)
    residual = weight * (y - expit(at.linear))
    slope_theta = residual @ a
    slope_tasks = -residual.sum(axis=0)
    if penalty is not None:
        slope_tasks = np.concatenate([slope_tasks, a * (at.theta @ residual) - penalty * at.log_a])
    found = information_of(at, weight, penalty, residual if observed else None)
    tasks = np.linalg.solve(found.reduced, slope_tasks - found.cross.T @ (slope_theta / found.theta))
    theta = (slope_theta - found.cross @ tasks) / found.theta
    count = len(at.b)
    return Parameters(theta, tasks[:count], tasks[count:] if penalty is not None else np.zeros(count))


def information_of(
    at: Parameters, weight: Array, penalty: float | None, residual: Array | None = None
) -> Information:
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
    return Information(theta, cross, reduced + float(np.trace(own)) / len(own) * np.outer(free, free))


def variances_of(found: Information) -> Array:
    """The variance of each ability about their mean: the diagonal of P(D⁻¹ + F S⁻¹ Fᵀ)P, P = I − 11ᵀ/M."""
    count = len(found.theta)
    towards = found.cross / found.theta[:, None]
    spread = np.linalg.solve(found.reduced, towards.T)
    diagonal = 1 / found.theta + (towards * spread.T).sum(axis=1)
    with_mean = (1 / found.theta + towards @ spread.sum(axis=1)) / count
    return np.asarray(np.maximum(diagonal - 2 * with_mean + with_mean.mean(), 0.0))


def dispersion_of(at: Parameters, y: Array, weight: Array, spare: int) -> float:
    """Pearson's: Σ w (y − p)² / (p(1 − p)) over the cells that are not used up by parameters."""
    if spare <= 0:
        return float("nan")
    p: Array = expit(at.linear)
    return float((weight * np.square(y - p) / (p * (1 - p))).sum()) / spare
