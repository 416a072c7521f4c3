"""The numbers behind the pictures of docs/concepts/statistics.md: simulated from fixed seeds, or enumerated.

Everything that tianti shows is computed with tianti.stats; what a function calls plain or naive is what one
would write without thinking twice. `boards` is how often a simulation is repeated.

`python docs/figures.py --numbers NAME…` prints what these functions find.
"""

from simulations.aggregates import clipped, missing, one_more, orders
from simulations.aspects import calibration, forgotten, inflation, worst_forms, worst_group
from simulations.battles import style, ties, voters
from simulations.order import bands_of_a_board, false_order, pairing, ranked, winner
from simulations.scores import averages, clusters, ratio, repeats, shares, target
from simulations.stopping import decided, peeking, placed

__all__ = [
    "averages",
    "bands_of_a_board",
    "calibration",
    "clipped",
    "clusters",
    "decided",
    "false_order",
    "forgotten",
    "inflation",
    "missing",
    "one_more",
    "orders",
    "pairing",
    "peeking",
    "placed",
    "ranked",
    "ratio",
    "repeats",
    "shares",
    "style",
    "target",
    "ties",
    "voters",
    "winner",
    "worst_forms",
    "worst_group",
]
