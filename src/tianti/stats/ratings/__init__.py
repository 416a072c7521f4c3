"""Ratings from pairwise battles: Bradley–Terry, Davidson's ties, sandwich errors, covariates of style."""

from tianti.stats.ratings.battles import FIRST_WINS, SECOND_WINS, TIE, Battles, Counts, count
from tianti.stats.ratings.fragility import Unseat, votes_to_unseat
from tianti.stats.ratings.rate import ELO, Coefficient, Ratings, Ties, rate

__all__ = [
    "ELO",
    "FIRST_WINS",
    "SECOND_WINS",
    "TIE",
    "Battles",
    "Coefficient",
    "Counts",
    "Ratings",
    "Ties",
    "Unseat",
    "count",
    "rate",
    "votes_to_unseat",
]
