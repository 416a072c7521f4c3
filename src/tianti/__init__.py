"""tianti (天梯): an open LLM leaderboard that anyone can run.

>>> import tianti
>>> board = tianti.evaluate("nano:llama", ["nano/sentiment"], adaptations=["zero-shot", "lora(r=8)"])
>>> board.to_pandas()

Names are imported when they are first used, so that `import tianti` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tianti.api import (
        deployed,
        evaluate,
        load_adapted,
        load_board,
        rank_items,
        rate_battles,
        run,
        update,
    )
    from tianti.board import Board
    from tianti.core.exceptions import TiantiError
    from tianti.study import Study

_HOMES = {
    "Board": "tianti.board",
    "Study": "tianti.study",
    "TiantiError": "tianti.core.exceptions",
    "deployed": "tianti.api",
    "evaluate": "tianti.api",
    "load_adapted": "tianti.api",
    "load_board": "tianti.api",
    "rank_items": "tianti.api",
    "rate_battles": "tianti.api",
    "run": "tianti.api",
    "update": "tianti.api",
}

__all__ = [
    "Board",
    "Study",
    "TiantiError",
    "deployed",
    "evaluate",
    "load_adapted",
    "load_board",
    "rank_items",
    "rate_battles",
    "run",
    "update",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tianti' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
