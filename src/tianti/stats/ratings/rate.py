"""Ratings from pairwise battles: strengths, what is known of them, and who is shown to be better than whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtr, stdtr

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array, quantile
from tianti.stats.ranks import RankIntervals, rank_intervals
from tianti.stats.ratings.battles import TIE, Battles, Counts, count
from tianti.stats.ratings.existence import check_connected, check_tie_rate
from tianti.stats.ratings.likelihood import probabilities
from tianti.stats.ratings.newton import Cells, Fit, battle_cells, fit, pair_cells
from tianti.stats.ratings.sandwich import clustered, independent

Ties = Literal["davidson", "half", "drop"]
"""What becomes of ties: modelled with a parameter of their own, half a win for each, or left out."""

ELO = 400 / math.log(10)
"""Points of a rating per unit of log odds: 400 more are odds of 10 : 1 for a win against a loss."""

NEW_BATTLES = "new battles of the same kind"
"""What ratings are estimated for: further votes on these models; of new voters where voters are the clusters."""


@dataclass(frozen=True)
class Coefficient:
    """An estimate with its interval; `low` and `high` are None where the data cannot tell."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Ratings:
    """Strengths of M models in units of log odds (natural logarithm, mean 0), and their covariance.

    `covariances` holds one matrix of all parameters, shape (P, P), per way of clustering and one for both
    together; the variance of a contrast is the largest that any of them gives. `freedom` are the degrees of
    freedom of Student's t, infinite where battles are independent. `clusters` are the numbers of groups.
    `ties` are how ties were treated, and `modelled` says whether ν was estimated: without any tie it is 0.
    """

    fit: Fit
    cells: Cells
    counts: Counts
    covariances: tuple[Array, ...]
    freedom: float
    n: int
    clusters: tuple[int, ...]
    ties: Ties
    prior: float
    dropped: int = 0
    target: str = NEW_BATTLES

    @property
    def strengths(self) -> Array:
        """log π, mean 0, shape (M,)."""
        return self.fit.strengths

    @property
    def method(self) -> str:
        """The model and how its errors were found."""
        model = {
            "davidson": "Davidson" if self.fit.log_nu is not None else "Bradley–Terry (no ties)",
            "half": "Bradley–Terry (a tie is half a win)",
            "drop": "Bradley–Terry (ties left out)",
        }[self.ties]
        prior = f", prior of {self.prior:g} wins each way per pair" if self.prior else ""
        return f"{model}{prior}, sandwich {'CR1·t' if self.clusters else 'HC1'}"

    def errors(self) -> Array:
        """Standard errors of the strengths, each against the mean of all: shape (M,)."""
        models = self.fit.models
        found: Array = np.max([np.diag(v)[:models] for v in self.covariances], axis=0)
        return np.sqrt(np.maximum(found, 0.0))

    def difference_errors(self) -> Array:
        """Standard errors of strength i − strength j: shape (M, M)."""
        models = self.fit.models
        found = []
        for covariance in self.covariances:
            v = covariance[:models, :models]
            own = np.diag(v)
            found.append(own[:, None] + own[None, :] - 2 * v)
        largest: Array = np.max(found, axis=0)
        return np.sqrt(np.maximum(largest, 0.0))

    def difference(self, one: int, other: int, level: float = 0.95) -> Coefficient:
        """Strength of `one` minus that of `other`, with its interval."""
        estimate = float(self.strengths[one] - self.strengths[other])
        return self._interval(estimate, float(self.difference_errors()[one, other]), level)

    def against(self, anchor: int | None = None, level: float = 0.95) -> list[Coefficient]:
        """Every strength with its interval, against the mean of all or against one model."""
        base = 0.0 if anchor is None else self.strengths[anchor]
        errors = self.errors() if anchor is None else self.difference_errors()[:, anchor]
        return [
            self._interval(float(strength - base), float(error), level)
            for strength, error in zip(self.strengths, errors, strict=True)
        ]

    def style(self, level: float = 0.95) -> list[Coefficient]:
        """γ of each covariate: the log odds that one more unit of it brings."""
        start = self.fit.models
        return [self._parameter(start + index, level) for index in range(self.fit.covariates)]

    def nu(self, level: float = 0.95) -> Coefficient | None:
        """Davidson's ν: two equal models tie with probability ν/(2 + ν). None where it was not estimated."""
        if self.fit.log_nu is None:
            return None
        found = self._parameter(len(self.fit.parameters) - 1, level)
        ends = [None if end is None else math.exp(min(end, 700.0)) for end in (found.low, found.high)]
        return Coefficient(math.exp(found.estimate), ends[0], ends[1])

    def p_values(self) -> Array:
        """p[i, j], shape (M, M): how surprising the data are if i is not better than j (one-sided)."""
        gap = self.strengths[:, None] - self.strengths[None, :]
        errors = self.difference_errors()
        with np.errstate(divide="ignore", invalid="ignore"):
            score = gap / errors
        p = ndtr(-score) if math.isinf(self.freedom) else stdtr(self.freedom, -score)
        p = np.where(np.isnan(score), 1.0, p)
        np.fill_diagonal(p, 1.0)
        return p

    def ranks(self, level: float = 0.95) -> RankIntervals:
        """Simultaneous rank intervals: all pairwise differences, corrected by Holm."""
        return rank_intervals(self.p_values(), level=level)

    def win_probabilities(self) -> tuple[Array, Array]:
        """P(i beats j) and P(i and j tie), shape (M, M) each, at equal style; NaN on the diagonal."""
        gap = self.strengths[:, None] - self.strengths[None, :]
        lead, tie = probabilities(gap.ravel(), self.fit.log_nu)
        win, tied = ((1 - tie + lead) / 2).reshape(gap.shape), tie.reshape(gap.shape)
        np.fill_diagonal(win, np.nan)
        np.fill_diagonal(tied, np.nan)
        return win, tied

    def _parameter(self, index: int, level: float) -> Coefficient:
        variance = max(float(covariance[index, index]) for covariance in self.covariances)
        return self._interval(float(self.fit.parameters[index]), math.sqrt(max(variance, 0.0)), level)

    def _interval(self, estimate: float, error: float, level: float) -> Coefficient:
        if math.isnan(error):
            return Coefficient(estimate, None, None)
        half = quantile(level, self.freedom) * error
        return Coefficient(estimate, estimate - half, estimate + half)


def rate(
    battles: Battles, *, ties: Ties = "davidson", prior: float = 0.0, names: Sequence[str] | None = None
) -> Ratings:
    """Bradley and Terry's or Davidson's model by maximum likelihood, with a sandwich covariance.

    Without covariates the battles are counted first, so the fit takes the same time for a thousand battles as
    for a million. Battles with clusters get CR1 and Student's t with G − 1 degrees of freedom. Two ways of
    clustering (voters and prompts) get V₁ + V₂ − V₁₂ (Cameron, Gelbach and Miller 2011, JBES 29), and each
    contrast the largest of this, V₁ and V₂ (MacKinnon, Nielsen and Webb 2024, arXiv:2406.08880), with the
    smaller G − 1.

    Args:
        prior: so many imagined wins each way between every two models. It makes ratings finite, and pulls
            them together; without it nothing does.
        names: of the models, for errors.

    Raises:
        InputError: battles do not determine the ratings: their graph is not strongly connected, all are ties,
            or the covariates separate.
    """
    if ties not in get_args(Ties):
        raise InputError(
            f"ties: expected {', '.join(get_args(Ties))}, got {ties!r}",
            remedy="davidson models them, half counts half a win for each, drop leaves them out",
        )
    if not 0 <= prior < math.inf:
        raise InputError(f"prior: expected a number of wins from 0, got {prior}")
    if len(battles.clusters) > 2:
        raise InputError(f"{len(battles.clusters)} ways of clustering", remedy="give at most two")
    tied = battles.outcome == TIE
    dropped = int(tied.sum()) if ties == "drop" else 0
    if tied.all():
        raise InputError("all battles are ties: they say nothing about who is better")
    if dropped:
        battles = battles.select(~tied)
    counts = count(battles)
    names = names or [f"model {index}" for index in range(battles.models)]
    model_ties = ties == "davidson" and bool(tied.any())
    if not prior:
        check_connected(counts, names)
        if model_ties:
            check_tie_rate(counts)
    plain = battles.style is None or not battles.style.shape[1]
    cells = pair_cells(counts, prior) if plain else battle_cells(battles, prior)
    fitted = fit(cells, ties=model_ties)
    covariances, groups = _covariances(battles, cells, fitted)
    freedom = float(min(groups) - 1) if groups else math.inf
    return Ratings(fitted, cells, counts, covariances, freedom, len(battles), groups, ties, prior, dropped)


def _covariances(battles: Battles, cells: Cells, fitted: Fit) -> tuple[tuple[Array, ...], tuple[int, ...]]:
    if not battles.clusters:
        return (independent(cells, fitted),), ()
    found = [clustered(battles, cells, fitted, codes) for codes in battles.clusters]
    covariances = [covariance for covariance, _ in found]
    if len(found) == 2:
        one, other = battles.clusters
        both = np.unique(one * (int(other.max()) + 1) + other, return_inverse=True)[1].astype(np.intp)
        shared, _ = clustered(battles, cells, fitted, both)
        covariances.append(covariances[0] + covariances[1] - shared)
    return tuple(covariances), tuple(groups for _, groups in found)
