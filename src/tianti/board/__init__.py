"""Scores → Board: normalise, average, rank with intervals, freeze."""

from tianti.board.board import Board, Cell, Column, Entry, Price, Rules, Winner

__all__ = ["Board", "Cell", "Column", "Entry", "Price", "Rules", "Winner"]
