"""How well the parameters are known: bread · meat · bread (Huber 1967; White 1982, Econometrica 50, 1–25).

The sandwich holds where the model is wrong too: where ties are counted as halves the inverse information is
too wide, and where a voter's votes hang together it is too narrow. Imagined battles of a prior count as
independent votes in both bread and meat: the certainty that a prior brings is not the data's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from tianti.stats.moments import Array
from tianti.stats.ratings.battles import OUTCOMES, Battles, Codes
from tianti.stats.ratings.likelihood import battle_scores, outcome_scores
from tianti.stats.ratings.newton import Cells, Fit, assemble, project

CLUSTERS_AT_ONCE = 2048


def independent(cells: Cells, fit: Fit) -> Array:
    """HC1: the battles are independent. Shape (P, P); NaN where there are no more battles than parameters.

    The meat is n/(n − P') Σ s sᵀ over battles, P' being the number of free parameters (MacKinnon and White
    1985, J. Econometrics 29). It needs the counts alone.
    """
    n = float(cells.weights.sum())
    factor = n / (n - free(fit)) if n > free(fit) else math.nan
    return factor * fit.bread @ _meat(cells, fit, cells.all_weights) @ fit.bread


def clustered(battles: Battles, cells: Cells, fit: Fit, codes: Codes) -> tuple[Array, int]:
    """CR1: battles of one cluster may depend on each other. The covariance and the number of clusters.

    With u_c = Σ s over the battles of a cluster, the meat is G/(G − 1) · (n − 1)/(n − P') Σ u_c u_cᵀ (Liang
    and Zeger 1986; the factor is Stata's and statsmodels'). NaN for one cluster.
    """
    n, groups = len(battles), int(np.count_nonzero(np.bincount(codes)))
    margin = project(battles.first, battles.second, battles.style, fit.parameters, fit.models)
    by_margin, by_tie = battle_scores(margin, fit.log_nu, battles.outcome)
    extra = [] if battles.style is None else list((by_margin[:, None] * battles.style).T)
    if fit.log_nu is not None:
        extra.append(by_tie)
    meat = _squares(battles, by_margin, extra, codes)
    known = groups > 1 and n > free(fit)
    factor = groups / (groups - 1) * (n - 1) / (n - free(fit)) if known else math.nan
    meat = factor * meat + _meat(cells, fit, cells.imagined)
    return fit.bread @ meat @ fit.bread, groups


def _squares(battles: Battles, by_margin: Array, extra: Sequence[Array], codes: Codes) -> Array:
    """Σ_c u_c u_cᵀ, with u_c the sums over cluster c of by_margin · (e_first − e_second) and of `extra`."""
    count, models = int(codes.max()) + 1, battles.models
    place = (np.tile(codes, 2), np.concatenate([battles.first, battles.second]))
    sums = csr_array((np.concatenate([by_margin, -by_margin]), place), shape=(count, models))
    beside = np.stack([np.bincount(codes, values, count) for values in extra], 1) if extra else None
    total = np.zeros((models + len(extra),) * 2)
    for start in range(0, count, CLUSTERS_AT_ONCE):  # dense blocks: faster than a product of sparse matrices
        rows = slice(start, start + CLUSTERS_AT_ONCE)
        block = sums[rows].toarray()
        if beside is not None:
            block = np.hstack([block, beside[rows]])
        total += block.T @ block
    return total


def free(fit: Fit) -> int:
    """The number of free parameters: one less than all, since the strengths are known up to a constant."""
    return len(fit.parameters) - 1


def _meat(cells: Cells, fit: Fit, weights: Array) -> Array:
    """Σ weight · s sᵀ over the outcomes of all cells."""
    by_margin, by_tie = outcome_scores(cells.project(fit.parameters), fit.log_nu)
    assert weights.shape[1] == OUTCOMES
    return assemble(
        cells,
        (weights * np.square(by_margin)).sum(axis=1),
        (weights * by_margin * by_tie).sum(axis=1),
        (weights * np.square(by_tie)).sum(axis=1),
        ties=fit.log_nu is not None,
    )
