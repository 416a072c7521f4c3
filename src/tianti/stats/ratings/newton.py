"""The maximum of the likelihood by Newton's method, on counts of pairs or, with covariates, on battles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.ratings.battles import OUTCOMES, Battles, Codes, Counts
from tianti.stats.ratings.likelihood import Slopes, slopes

MOST_STEPS = 40
"""Margins of a million wins to one take 15; where the maximum is infinite, each step goes one further."""
SMALL_STEP = 1e-9
FARTHEST = 30.0
"""Two models that met and are farther apart (odds of 1e13) are on their way to infinity."""
SINGULAR = 1e-10
ROUNDING = 1e-11
"""Of the log-likelihood of a battle."""


@dataclass(frozen=True)
class Cells:
    """Battles that share models and covariates: pairs of models, or single battles where there are
    covariates.

    `weights`, shape (cells, 3), is how often first won, second won, and they tied; `imagined` are the battles
    of a prior, in the same form. `style` has shape (cells, K).
    """

    first: Codes
    second: Codes
    style: Array
    weights: Array
    imagined: Array
    models: int

    @property
    def all_weights(self) -> Array:
        """Observed and imagined."""
        return self.weights + self.imagined

    def project(self, vector: Array) -> Array:
        """What a vector of parameters says about each cell: vector_first − vector_second + style · its K,
        shape (cells,). For the parameters themselves these are the margins."""
        return project(self.first, self.second, self.style, vector, self.models)


@dataclass(frozen=True)
class Fit:
    """`parameters`: the strengths of M models (log π, mean 0), then γ of K covariates, then log ν where ties
    are modelled. `bread` is the inverse of their information, shape (P, P)."""

    parameters: Array
    bread: Array
    models: int
    covariates: int

    @property
    def strengths(self) -> Array:
        """log π, mean 0, shape (M,)."""
        return self.parameters[: self.models]

    @property
    def log_nu(self) -> float | None:
        """None where ties are not modelled."""
        before = self.models + self.covariates
        return float(self.parameters[before]) if len(self.parameters) > before else None


def project(first: Codes, second: Codes, style: Array | None, vector: Array, models: int) -> Array:
    """vector_first − vector_second, plus style · the K numbers that follow those of the models."""
    gap: Array = vector[first] - vector[second]
    if style is not None and style.shape[1]:
        gap = gap + style @ vector[models : models + style.shape[1]]
    return gap


def pair_cells(counts: Counts, prior: float = 0.0) -> Cells:
    """One cell per pair of models that met; with a `prior`, of so many wins each way, per pair at all."""
    first, second = np.triu_indices(len(counts.wins), 1)
    weights = np.stack(
        [counts.wins[first, second], counts.wins[second, first], counts.ties[first, second]], axis=1
    )
    if not prior:
        met = weights.any(axis=1)
        first, second, weights = first[met], second[met], weights[met]
    imagined = np.tile([prior, prior, 0.0], (len(first), 1))
    return Cells(first, second, np.zeros((len(first), 0)), weights, imagined, len(counts.wins))


def battle_cells(battles: Battles, prior: float = 0.0) -> Cells:
    """One cell per battle, with its covariates; a `prior` adds one without covariates per pair of models."""
    style = np.zeros((len(battles), 0)) if battles.style is None else battles.style
    first, second = np.triu_indices(battles.models, 1) if prior else (np.empty(0, np.intp),) * 2
    n, pairs = len(battles), len(first)
    return Cells(
        np.concatenate([battles.first, first]),
        np.concatenate([battles.second, second]),
        np.concatenate([style, np.zeros((pairs, style.shape[1]))]),
        np.concatenate([np.eye(OUTCOMES)[battles.outcome], np.zeros((pairs, OUTCOMES))]),
        np.concatenate([np.zeros((n, OUTCOMES)), np.tile([prior, prior, 0.0], (pairs, 1))]),
        battles.models,
    )


def cell_counts(cells: Cells) -> Counts:
    """Who won against whom how often, imagined battles included."""
    models = cells.models
    forth, back = cells.first * models + cells.second, cells.second * models + cells.first
    pairs = np.concatenate([forth, back])
    weights = cells.all_weights

    def table(forwards: Array, backwards: Array) -> Array:
        found = np.bincount(pairs, np.concatenate([forwards, backwards]), models * models)
        return np.asarray(found.reshape(models, models), dtype=np.float64)

    return Counts(table(weights[:, 0], weights[:, 1]), table(weights[:, 2], weights[:, 2]))


def assemble(cells: Cells, by_margin: Array, by_both: Array, by_tie: Array, *, ties: bool) -> Array:
    """Σ over cells of [z, 1]ᵀ [[by_margin, by_both], [by_both, by_tie]] [z, 1], with z = (e_first −
    e_second, style): a matrix of shape (P, P), the Laplacian of a graph in the block of the strengths."""
    models, covariates = cells.models, cells.style.shape[1]
    size = models + covariates + ties
    matrix = np.zeros((size, size))
    pair = cells.first * models + cells.second
    links = np.bincount(pair, by_margin, models * models).reshape(models, models)
    links = links + links.T
    matrix[:models, :models] = np.diag(links.sum(axis=1)) - links
    for index in range(covariates):
        matrix[:models, models + index] = _spread(cells, by_margin * cells.style[:, index])
    style = slice(models, models + covariates)
    matrix[style, style] = cells.style.T @ (by_margin[:, None] * cells.style)
    if ties:
        matrix[:models, -1] = _spread(cells, by_both)
        matrix[style, -1] = by_both @ cells.style
        matrix[-1, -1] = by_tie.sum()
    upper = np.triu(matrix, 1)
    result: Array = upper + upper.T + np.diag(np.diag(matrix))
    return result


def fit(cells: Cells, *, ties: bool, start: Array | None = None) -> Fit:
    """Newton's method with halved steps where the likelihood would fall: it is concave, so it always rises.

    The strengths are known up to a constant. Adding κ·uuᵀ, u = 1/√M on the strengths, to the information
    makes it invertible, and its inverse then is the pseudo-inverse plus uuᵀ/κ.

    Args:
        ties: model ties by Davidson's ν; otherwise each counts as half a win for both.
        start: parameters to start from.

    Raises:
        InputError: covariates cannot be told apart from the models, or the maximum is not finite.
    """
    size = cells.models + cells.style.shape[1] + ties
    parameters = np.zeros(size) if start is None else start.copy()
    found = _slopes(cells, parameters, ties)
    if cells.style.shape[1]:
        _check_covariates(cells, _regular(cells, found, ties)[0])
    for _ in range(MOST_STEPS):
        information, _ = _regular(cells, found, ties)
        try:
            step = np.linalg.solve(information, _gradient(cells, found, ties))
        except np.linalg.LinAlgError:
            break
        step[: cells.models] -= step[: cells.models].mean()
        halvings = 0
        while True:
            following = _slopes(cells, parameters + step, ties)
            if following.value >= found.value - ROUNDING * cells.all_weights.sum() or halvings > 30:
                break
            step, halvings = step / 2, halvings + 1
        parameters, found = parameters + step, following
        if np.abs(cells.project(parameters)).max() > FARTHEST:
            break
        if np.abs(step).max() < SMALL_STEP:
            information, constant = _regular(cells, found, ties)
            return Fit(parameters, np.linalg.inv(information) - constant, cells.models, cells.style.shape[1])
    raise InputError(
        "the likelihood has no finite maximum: a covariate of style tells who wins without fail",
        remedy="leave out that covariate, or state a prior (`--prior 0.5`)",
    )


def _slopes(cells: Cells, parameters: Array, ties: bool) -> Slopes:
    return slopes(cells.project(parameters), float(parameters[-1]) if ties else None, cells.all_weights)


def _gradient(cells: Cells, found: Slopes, ties: bool) -> Array:
    parts = [_spread(cells, found.margin), found.margin @ cells.style]
    if ties:
        parts.append(np.array([found.tie.sum()]))
    return np.concatenate(parts)


def _regular(cells: Cells, found: Slopes, ties: bool) -> tuple[Array, Array]:
    """The information made invertible, and what that adds to its inverse."""
    information = assemble(cells, found.margin_margin, found.margin_tie, found.tie_tie, ties=ties)
    models = cells.models
    scale = max(float(np.trace(information[:models, :models])) / models, 1e-300)
    information[:models, :models] += scale / models
    constant = np.zeros_like(information)
    constant[:models, :models] = 1 / (scale * models)
    return information, constant


def _spread(cells: Cells, values: Array) -> Array:
    """Σ values · (e_first − e_second), shape (M,)."""
    gained, lost = (np.bincount(side, values, cells.models) for side in (cells.first, cells.second))
    return np.asarray(gained - lost, dtype=np.float64)


def _check_covariates(cells: Cells, information: Array) -> None:
    scale = np.sqrt(np.diag(information))
    if (scale == 0).any():
        raise InputError("a covariate of style is 0 in every battle", remedy="leave it out: it tells nothing")
    if np.linalg.eigvalsh(information / np.outer(scale, scale))[0] < SINGULAR:
        raise InputError(
            "a covariate of style cannot be told apart from the models or from another covariate",
            remedy="leave it out, or collect battles in which it varies within a pair of models",
        )
