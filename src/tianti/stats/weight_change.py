"""How little other weights would put another entry in front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tianti.stats.moments import Array


@dataclass(frozen=True)
class WeightChange:
    """The smallest change of weights after which `leader` is no longer alone in front: `rival` draws level.

    `share` is the part of the whole weight that moves to another task, half the L1 distance; `weights`, shape
    (K,), are those after it.
    """

    leader: int
    rival: int
    share: float
    weights: Array


def smallest_change(parts: Array, weights: Array, leader: int) -> WeightChange | None:
    """The smallest change of weights that lets another entry draw level with the leader; None where none can.

    min ½‖v − w‖₁ over v ≥ 0, Σv = 1, Σ_k v_k (x_leader,k − x_rival,k) ≤ 0, for each rival. Of this linear
    programme the solution is known: all that moves goes to the task on which the rival stands best, and it is
    taken from the tasks where the leader is farthest ahead, one after the other.

    Args:
        parts: shape (M, K): an entry's value is Σ_k w_k parts[i, k]. Complete.
        weights: shape (K,), shares.
    """
    gaps = np.delete(parts[leader] - parts, leader, axis=0)
    if not len(gaps):
        return None
    best = gaps.min(axis=1)
    order = np.argsort(-gaps, axis=1, kind="stable")
    from_most = np.take_along_axis(gaps, order, axis=1)
    available = weights[order]
    closed = np.cumsum(available * (from_most - best[:, None]), axis=1)
    lead = np.maximum(gaps @ weights, 0.0)
    # Tasks that are emptied wholly, then a part of the next one.
    emptied = np.minimum((closed < lead[:, None] - 1e-15).sum(axis=1), gaps.shape[1] - 1)
    row = np.arange(len(gaps))
    before = np.where(emptied > 0, closed[row, emptied - 1], 0.0)
    moved_before = np.where(emptied > 0, np.cumsum(available, axis=1)[row, emptied - 1], 0.0)
    rest = from_most[row, emptied] - best
    part = np.where(rest > 0, (lead - before) / np.where(rest > 0, rest, 1.0), 0.0)
    moved = np.where(best <= 0, moved_before + part, np.inf)
    rival = int(moved.argmin())
    if not np.isfinite(moved[rival]):
        return None
    after = weights.copy()
    after[order[rival, : emptied[rival]]] = 0.0
    after[order[rival, emptied[rival]]] -= part[rival]
    after[int(gaps[rival].argmin())] += moved[rival]
    return WeightChange(leader, rival + (rival >= leader), float(moved[rival]), after)
