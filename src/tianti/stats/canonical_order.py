"""Does a model prefer the published order of a data set? (Oren et al. 2024, "Proving test set contamination in
black-box language models", ICLR, arXiv:2310.17623.)"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from tianti.core.exceptions import InputError
from tianti.core.seeds import derive_seed
from tianti.stats.moments import Array

DRAWS = 9_999
"""Random relabellings; the smallest p is then 0.0001."""


@dataclass(frozen=True)
class CanonicalOrder:
    """`p` is one-sided, for the hypothesis that all orders are equally likely to the model; exact under it.

    `difference` is the mean over shards of log p(canonical order) − mean of the shuffled ones, in nats; `t` and
    `p_t` are the paper's test over shards, which takes their differences for normal. A large p does not clear a
    model: it may have read the items in another order.
    """

    p: float
    difference: float
    t: float | None
    p_t: float | None
    shards: int
    permutations: int
    method: str = "relabelling of orders within shards, one-sided"


def canonical_order_test(logprobs: Array, seed: int = 0, draws: int = DRAWS) -> CanonicalOrder:
    """The test on log-probabilities of each shard in its canonical and in shuffled orders.

    Where the items of the data set are exchangeable, all orders of a shard are drawn from one distribution given a
    model that has not read it in its order. So each of a shard's log-probabilities could as well have been that of
    the canonical order: the p-value is the share of such relabellings (the real one among them) with a sum of
    differences that is at least as large. Exact with any number of shards.

    Args:
        logprobs: shape (shards, 1 + permutations), in nats; the first column is the canonical order's.

    Raises:
        InputError: not such a matrix, or a number is not finite.
    """
    found = np.asarray(logprobs, dtype=np.float64)
    if found.ndim != 2 or not len(found) or found.shape[1] < 2 or not np.isfinite(found).all():
        raise InputError(
            f"expected finite log-probabilities of shape (shards, 1 + permutations), got shape {found.shape}",
            remedy="give at least one shard and one permutation, and leave out what the model could not answer",
        )
    shards, orders = found.shape
    # A label's worth against the mean of the others is a multiple of its worth against the mean of all.
    worth = (found - found.mean(axis=1, keepdims=True)) * orders / (orders - 1)
    generator = np.random.default_rng(derive_seed("canonical order", seed))
    sums = np.zeros(draws)
    for row in worth:
        sums += row[generator.integers(0, orders, draws)]
    differences = worth[:, 0]
    slack = 1e-9 * float(np.abs(worth).sum() + 1)  # equal sums must not differ by rounding
    p = (1 + int(np.count_nonzero(sums >= differences.sum() - slack))) / (draws + 1)
    spread = float(differences.std(ddof=1)) if shards > 1 else 0.0
    t = float(differences.mean()) / (spread / math.sqrt(shards)) if spread > 0 else None
    return CanonicalOrder(
        p=p,
        difference=float(differences.mean()),
        t=t,
        p_t=None if t is None else float(stdtr(shards - 1, -t)),
        shards=shards,
        permutations=orders - 1,
    )
