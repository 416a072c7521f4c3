"""The pictures of docs/concepts/statistics.md, one function each, drawn from what `simulations` finds."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from pictures import aggregates, beyond, order, scores, stopping
from pictures.style import Say

PICTURES: dict[str, Callable[[Say], Figure]] = {
    "target": scores.target,
    "shares": scores.shares,
    "clusters": scores.clusters,
    "averages": scores.averages,
    "ratio": scores.ratio,
    "repeats": scores.repeats,
    "pairing": order.pairing,
    "ranks": order.ranks,
    "false-order": order.false_order,
    "bands": order.band,
    "winner": order.winner,
    "aggregates": aggregates.aggregates,
    "stopping": stopping.stopping,
    "battles": beyond.battles,
    "calibration": beyond.calibration,
    "worst": beyond.worst,
    "forgetting": beyond.forgetting,
    "inflation": beyond.inflation,
}
