"""The board of a store, or of one of its studies."""

from __future__ import annotations

from tianti.board.assemble import USUAL, assemble
from tianti.board.board import Board, Rules
from tianti.board.results import read_results
from tianti.store import Store


def build_board(store: Store, study: str | None = None, rules: Rules = USUAL) -> Board:
    """Read the runs and rank them; a store without runs gives an empty board.

    Raises:
        UnknownNameError: no study of this name was recorded.
        StoreError: answers are gone or were changed since they were sealed.
    """
    return assemble(read_results(store, study), title=study or "", rules=rules)
