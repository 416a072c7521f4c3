"""Stop when the ranking is decided: statements that hold however often one looks and whenever one stops.

The items of a bank are asked in a random order that is committed before the first, the same for all entries. The
target is *this bank*: the score on all its N items, with the answers that the entries give.
"""

from tianti.stats.sequential.bank import Bank
from tianti.stats.sequential.beta_binomial import log_beta_binomial
from tianti.stats.sequential.betting import Bets
from tianti.stats.sequential.control import Control, fit_control
from tianti.stats.sequential.decide import Decisions, Ranking, rank_prefixes
from tianti.stats.sequential.order import Order, committed_order, place_key
from tianti.stats.sequential.place import FIRST_ITEMS, Place, Placing
from tianti.stats.sequential.sequence import OneMean, anytime_interval

__all__ = [
    "FIRST_ITEMS",
    "Bank",
    "Bets",
    "Control",
    "Decisions",
    "OneMean",
    "Order",
    "Place",
    "Placing",
    "Ranking",
    "anytime_interval",
    "committed_order",
    "fit_control",
    "log_beta_binomial",
    "place_key",
    "rank_prefixes",
]
