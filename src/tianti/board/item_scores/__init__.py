"""Scores per item, from a store or from a file → an order of entries by any aggregate, and how stable it is."""

from tianti.board.item_scores.columns import find_columns
from tianti.board.item_scores.panel import Panel
from tianti.board.item_scores.rank import ItemRanking, RankedEntry, rank_items
from tianti.board.item_scores.read import read_items
from tianti.board.item_scores.stored import items_of_results
from tianti.board.item_scores.table import ItemTable, TaskItems
from tianti.board.item_scores.write import write_items

__all__ = [
    "ItemRanking",
    "ItemTable",
    "Panel",
    "RankedEntry",
    "TaskItems",
    "find_columns",
    "items_of_results",
    "rank_items",
    "read_items",
    "write_items",
]
