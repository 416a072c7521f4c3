"""Votes on pairs of answers → ratings of models with intervals and ranks."""

from tianti.board.battles.rating import BattleRatings, RatedModel, rate_votes
from tianti.board.battles.read import as_table, read_votes

__all__ = ["BattleRatings", "RatedModel", "as_table", "rate_votes", "read_votes"]
