"""What papers report of famous systems: shipped figures with their sources, never mixed with what was measured."""

from tianti.board.reported.board import reported_board
from tianti.board.reported.scores import ReportedScore, read_reported, reported_scores

__all__ = ["ReportedScore", "read_reported", "reported_board", "reported_scores"]
