"""Scores → Board: normalise, average, rank with intervals, freeze."""

from tianti.board.board import AspectColumn, Board, Cell, Column, Decided, Entry, Price, Rules, Winner

__all__ = ["AspectColumn", "Board", "Cell", "Column", "Decided", "Entry", "Price", "Rules", "Winner"]
