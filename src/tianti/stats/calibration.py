"""Whether a model is right as often as it is sure: Brier score, expected calibration error and its null.

A forecast is a probability p in [0, 1] with an outcome y of 0 or 1. For the confidence of a choice, p is the
probability of the option that was chosen and y whether it is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array, as_array

BINS = 10
"""Bins of equal mass, as in HELM (Liang et al. 2022, arXiv:2211.09110)."""
AT_ONCE = 4_000_000
"""So many simulated outcomes are held in memory at once."""


@dataclass(frozen=True)
class Brier:
    """The Brier score, mean (p − y)², and what it is made of (Murphy 1973):

    score = reliability − resolution + uncertainty + within.

    `reliability` is what miscalibration costs, `resolution` what telling samples apart gains, `uncertainty` the
    variance of the outcomes. Each of the first two is of bins; `within` is what the forecasts of a bin differ by
    (variance − 2·covariance with the outcome, Stephenson et al. 2008), zero where they are all equal.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    n: int


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error beside what a perfectly calibrated model would show.

    `null` is the mean over simulated outcomes y ~ Bernoulli(p), `null_high` their quantile at `level`, `excess` the
    error minus `null`. `p` is the chance that a calibrated model shows as large an error.
    """

    error: float
    null: float
    null_high: float
    excess: float
    p: float
    level: float
    n: int
    draws: int


def brier(
    probabilities: Sequence[float] | Array, outcomes: Sequence[float] | Array, bins: int = BINS
) -> Brier:
    """The Brier score (1950) with its decomposition over bins of equal mass.

    Of choices with several options, all options of all samples may be given as forecasts: the sum over the options of
    the squared errors, the score that `brier` names on the board, is then the number of options times this one.

    Raises:
        InputError: there are no forecasts, or one is no probability with an outcome of 0 or 1.
    """
    p, y = forecasts(probabilities, outcomes)
    codes, sizes = _bins(p, bins)
    forecast, rate = (np.bincount(codes, weights=of, minlength=len(sizes)) / sizes for of in (p, y))
    mean, share = float(y.mean()), sizes / len(p)
    spread, joint = p - forecast[codes], y - rate[codes]
    return Brier(
        score=float(np.square(p - y).mean()),
        reliability=float((share * np.square(forecast - rate)).sum()),
        resolution=float((share * np.square(rate - mean)).sum()),
        uncertainty=mean * (1 - mean),
        within=float((np.square(spread) - 2 * spread * joint).mean()),
        n=len(p),
    )


def log_loss(probabilities: Sequence[float] | Array, outcomes: Sequence[float] | Array) -> float:
    """−mean(y ln p + (1 − y) ln(1 − p)), in nats; infinite where something was held impossible and happened.

    Raises:
        InputError: there are no forecasts, or one is no probability with an outcome of 0 or 1.
    """
    p, y = forecasts(probabilities, outcomes)
    with np.errstate(divide="ignore"):
        return -float((xlogy(y, p) + xlog1py(1 - y, -p)).mean())


def calibration_error(
    probabilities: Sequence[float] | Array, outcomes: Sequence[float] | Array, bins: int = BINS
) -> float:
    """ECE (Naeini et al. 2015): Σ_b n_b/n · |mean p − mean y|, over bins of equal mass as in HELM.

    With `bins` = 1 this is HELM's ECE-1, |mean p − mean y|. Equal probabilities share a bin, so the order of the
    samples does not matter. It is biased upwards: see `calibration_test`.

    Raises:
        InputError: there are no forecasts, or one is no probability with an outcome of 0 or 1.
    """
    p, y = forecasts(probabilities, outcomes)
    codes, sizes = _bins(p, bins)
    return float(np.abs(np.bincount(codes, weights=p - y, minlength=len(sizes))).sum()) / len(p)


def calibration_test(
    probabilities: Sequence[float] | Array,
    outcomes: Sequence[float] | Array,
    bins: int = BINS,
    *,
    seed: int,
    draws: int = 1000,
    level: float = 0.95,
) -> CalibrationError:
    """The calibration error against its null: outcomes drawn anew, y ~ Bernoulli(p), as if the model were calibrated
    (Vaicenavicius et al. 2019, arXiv:1902.06977, consistency resampling).

    Few samples make even a calibrated model look bad: its error is about 0.1 at 100 samples, and 0.03 at 1,000.

    Raises:
        InputError: there are no forecasts, or one is no probability with an outcome of 0 or 1.
    """
    p, _ = forecasts(probabilities, outcomes)
    error = calibration_error(probabilities, outcomes, bins)
    order = np.argsort(p, kind="stable")
    codes, _ = _bins(p[order], bins)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    generator, block = np.random.default_rng(seed), max(AT_ONCE // len(p), 1)
    found = []
    for start in range(0, draws, block):
        drawn = generator.random((min(block, draws - start), len(p))) < p[order]
        found.append(np.abs(np.add.reduceat(p[order] - drawn, starts, axis=1)).sum(axis=1) / len(p))
    simulated = np.concatenate(found)
    null = float(simulated.mean())
    return CalibrationError(
        error=error,
        null=null,
        null_high=float(np.quantile(simulated, level)),
        excess=error - null,
        p=(1 + int((simulated >= error - 1e-12).sum())) / (draws + 1),
        level=level,
        n=len(p),
        draws=draws,
    )


def expected_null(probabilities: Sequence[float] | Array, bins: int = BINS) -> float:
    """What `calibration_test` simulates as the mean of the null, by a formula: Σ_b E|Binomial(n_b, p̄_b) − n_b p̄_b| / n.

    Each term is de Moivre's mean deviation, 2·m·C(n, m)·pᵐ·(1−p)ⁿ⁻ᵐ⁺¹ with m = ⌊np⌋ + 1 (Diaconis and Zabell 1991).
    Exact where the probabilities of a bin are equal, and barely too large where they are nearly so. A bootstrap can
    afford it.

    Raises:
        InputError: there are none, or one is no probability.
    """
    p, _ = forecasts(probabilities, np.zeros(len(probabilities)))
    codes, sizes = _bins(p, bins)
    mean = np.clip(np.bincount(codes, weights=p, minlength=len(sizes)) / sizes, 0.0, 1.0)
    return float(mean_deviation(sizes, mean).sum()) / len(p)


def mean_deviation(sizes: Array, mean: Array) -> Array:
    """E|Binomial(n, p) − np| for each n of `sizes` and p of `mean`."""
    m = np.minimum(np.floor(sizes * mean) + 1, sizes)
    logarithm = (
        gammaln(sizes + 1)
        - gammaln(m + 1)
        - gammaln(sizes - m + 1)
        + xlogy(m, mean)
        + xlog1py(sizes - m + 1, -mean)
    )
    found: Array = 2 * m * np.exp(logarithm)
    return found


def selective_accuracy(
    probabilities: Sequence[float] | Array, outcomes: Sequence[float] | Array, coverage: float = 0.1
) -> float:
    """The accuracy on the share `coverage` of the samples of which the model is surest, at least one of them.

    Where equal probabilities straddle the border, each of these samples counts with the share that fits.

    Raises:
        InputError: there are no forecasts, one is no probability with an outcome of 0 or 1, or not 0 < coverage ≤ 1.
    """
    if not 0 < coverage <= 1:
        raise InputError(f"a coverage of {coverage} makes no sense", remedy="give a share above 0, up to 1")
    p, y = forecasts(probabilities, outcomes)
    kept = max(math.ceil(coverage * len(p) - 1e-9), 1)
    border = np.sort(p)[len(p) - kept]
    above, at = p > border, p == border
    left = kept - int(above.sum())
    return float(y[above].sum() + left * y[at].mean()) / kept


def _bins(p: Array, bins: int) -> tuple[NDArray[np.intp], Array]:
    """The bin of each forecast, numbered from 0 without gaps by rising p, and the size of each bin.

    A forecast's bin is ⌊bins · r / n⌋, r being the mean rank from 0 of those equal to it.
    """
    if bins < 1:
        raise InputError(f"{bins} bins", remedy="give at least one")
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    first = np.cumsum(counts) - counts
    place = (bins * (2 * first + counts - 1) // (2 * len(p)))[inverse]
    _, codes = np.unique(place, return_inverse=True)
    return codes.astype(np.intp), np.bincount(codes).astype(np.float64)


def forecasts(
    probabilities: Sequence[float] | Array, outcomes: Sequence[float] | Array
) -> tuple[Array, Array]:
    """Both as vectors.

    Raises:
        InputError: there are none, not as many of both, or one is no probability with an outcome of 0 or 1.
    """
    p, y = as_array(probabilities), as_array(outcomes)
    if not len(p) or len(p) != len(y):
        raise InputError(
            f"{len(p)} probabilities and {len(y)} outcomes", remedy="give one outcome per forecast"
        )
    if ((p < 0) | (p > 1)).any() or not np.isin(y, (0.0, 1.0)).all():
        raise InputError("a forecast is a probability in [0, 1] with an outcome of 0 or 1")
    return p, y
