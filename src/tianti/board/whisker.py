"""Means with their intervals as small drawings of characters, on one axis for the whole column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tianti.board.entries import Entry
from tianti.board.show import percent

NARROWEST = 12
WIDEST = 24
"""Characters of a drawing."""


@dataclass(frozen=True)
class Axis:
    """A range of means that holds 0, where guessing lies, drawn `width` characters wide."""

    low: float
    high: float
    width: int

    def place(self, value: float) -> int:
        """The character that a value lies in, from 0."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return round(share * (self.width - 1))

    @property
    def heading(self) -> str:
        """Its ends in per cent."""
        low, high = percent(self.low, 0), percent(self.high, 0)
        return low + " " * (self.width - len(low) - len(high)) + high


def axis_of(entries: Iterable[Entry], width: int) -> Axis | None:
    """The axis of the means and intervals of these entries; None where none has a mean."""
    known = [bound for e in entries for bound in (e.low, e.mean, e.high) if bound is not None]
    return Axis(min(0.0, *known), max(0.0, *known), width) if known else None


def whisker(axis: Axis, entry: Entry) -> str:
    """`  ┊  ├──●──┤`: the mean in its interval, and where 0 lies; empty where there is no mean."""
    if entry.mean is None:
        return ""
    low, at, high = (
        axis.place(entry.mean if bound is None else bound) for bound in (entry.low, entry.mean, entry.high)
    )
    drawn = [" "] * axis.width
    drawn[axis.place(0.0)] = "┊"
    drawn[low : high + 1] = "─" * (high + 1 - low)
    if low < high:
        drawn[low], drawn[high] = "├", "┤"
    drawn[at] = "●"
    return "".join(drawn)
