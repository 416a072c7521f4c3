"""MinHash: which sets are nearly the same, found without comparing every two (Broder 1997)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError

Hashes = NDArray[np.uint64]

K = 64
"""Hash functions of a signature: the standard error of a similarity of 0.8 is then 0.05."""
ROWS = 4
"""Signature values of a band. With 16 bands of 4 a pair of similarity 0.8 is missed once in 5,000 times, one
of 0.9 once in 25 million times, and one of 0.1 is looked at 2 times in 1,000."""
_SEED = 20260101


def signatures(values: Hashes, starts: NDArray[np.intp], k: int = K) -> Hashes:
    """The signature of each set: for each of k hash functions the least value over its members.

    Args:
        values: the members of all sets, one set after another, as well-mixed 64-bit hashes.
        starts: shape (sets,): where each set begins in `values`. No set is empty.

    Returns:
        shape (k, sets). Two sets have the same value in a row with a probability equal to their Jaccard
        similarity.
    """
    found = np.empty((k, len(starts)), dtype=np.uint64)
    if not len(starts):
        return found
    generator = np.random.default_rng(_SEED)
    factors = generator.integers(0, 2**63, k, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = generator.integers(0, 2**64, k, dtype=np.uint64, endpoint=False)
    for row, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
        # Multiply and add modulo 2^64, then fold the high half down: the low bits of a product mix little.
        mixed = values * factor + offset
        mixed ^= mixed >> np.uint64(32)
        found[row] = np.minimum.reduceat(mixed * factor, starts)
    return found


def similarity(first: Hashes, second: Hashes) -> NDArray[np.float64]:
    """The estimated Jaccard similarity |A∩B| / |A∪B| of each pair of signatures (columns of both)."""
    same: NDArray[np.float64] = (first == second).mean(axis=0)
    return same


def standard_error(jaccard: float, k: int = K) -> float:
    """That of an estimate from k hash functions: √(J(1−J)/k), as for any proportion."""
    if not 0 <= jaccard <= 1 or k < 1:
        raise InputError(f"a similarity of {jaccard} from {k} hash functions", remedy="give 0 ≤ J ≤ 1, k ≥ 1")
    return math.sqrt(jaccard * (1 - jaccard) / k)


def candidates(first: Hashes, second: Hashes, rows: int = ROWS) -> NDArray[np.intp]:
    """Pairs (column of `first`, column of `second`) that agree on a whole band of their signatures.

    A pair of similarity s is found with probability 1 − (1 − s^rows)^(k/rows) (Leskovec, Rajaraman and Ullman,
    Mining of Massive Datasets, §3.4).

    Returns:
        shape (pairs, 2), sorted, each pair once.
    """
    pairs = [np.empty((0, 2), dtype=np.intp)]
    for start in range(0, len(first), rows):
        pairs.append(_equal(_band(first[start : start + rows]), _band(second[start : start + rows])))
    return np.unique(np.concatenate(pairs), axis=0)


def _band(rows: Sequence[Hashes] | Hashes) -> Hashes:
    """One hash for the values of a band."""
    found = np.zeros(rows[0].shape, dtype=np.uint64)
    for row in rows:
        found = (found ^ row) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return found


def _equal(first: Hashes, second: Hashes) -> NDArray[np.intp]:
    """All pairs of places with equal values."""
    order = np.argsort(second, kind="stable")
    ordered = second[order]
    low = np.searchsorted(ordered, first, side="left")
    count = np.searchsorted(ordered, first, side="right") - low
    left = np.repeat(np.arange(len(first)), count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([left, order[np.repeat(low, count) + within]], axis=1)
