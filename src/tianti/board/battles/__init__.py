"""Votes on pairs of answers → ratings of models with intervals and ranks."""

from tianti.board.battles.rating import BattleRatings, RatedModel, rate_votes

__all__ = ["BattleRatings", "RatedModel", "rate_votes"]
