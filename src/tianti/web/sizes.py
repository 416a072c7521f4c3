"""Classes of sizes of models, from a hundred million parameters to more than seventy-five billion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tianti.board import Entry
from tianti.board.show import compact

BOUNDS = (10**8, 10**9, 3 * 10**9, 8 * 10**9, 20 * 10**9, 75 * 10**9)
"""Where they begin and end, in parameters."""


@dataclass(frozen=True)
class SizeClass:
    """Models of at least `low` and less than `high` parameters; None is no bound."""

    low: int | None
    high: int | None

    def holds(self, entry: Entry) -> bool:
        """Whether the model of an entry is of this class; it is of none where its parameters are not known."""
        count = entry.parameters
        return (
            count is not None
            and (self.low is None or count >= self.low)
            and (self.high is None or count < self.high)
        )

    @property
    def text(self) -> str:
        """What it is called: `3B – 8B`."""
        if self.low is None or self.high is None:
            return f"≥ {_short(self.low)}" if self.high is None else f"< {_short(self.high)}"
        return f"{_short(self.low)} – {_short(self.high)}"

    @property
    def conditions(self) -> list[str]:
        """What an address of a board says of it."""
        bounds = (("ge", self.low), ("lt", self.high))
        return [f"parameters:{operator}:{bound}" for operator, bound in bounds if bound is not None]


CLASSES = tuple(SizeClass(low, high) for low, high in zip((None, *BOUNDS), (*BOUNDS, None), strict=True))


def _short(bound: int | None) -> str:
    return "" if bound is None else re.sub(r"\.0+", "", compact(bound))


def size_classes(entries: Sequence[Entry]) -> list[SizeClass]:
    """The classes that some model is of, smallest first."""
    return [each for each in CLASSES if any(each.holds(entry) for entry in entries)]
