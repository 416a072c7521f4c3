"""Scores → Board: normalise, average, rank with intervals, freeze."""

from tianti.board.board import Board, Decided, Rules, Winner
from tianti.board.entries import AspectColumn, Cell, Column, Entry, Price

__all__ = ["AspectColumn", "Board", "Cell", "Column", "Decided", "Entry", "Price", "Rules", "Winner"]
