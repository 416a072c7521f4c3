"""Tables that a user brings: files and data frames, their columns and rows."""

from tianti.board.tables.read import FORMATS, as_table, read_table
from tianti.board.tables.values import LeftOut, RowFilter, codes_of, numbers_of, text_of

__all__ = ["FORMATS", "LeftOut", "RowFilter", "as_table", "codes_of", "numbers_of", "read_table", "text_of"]
