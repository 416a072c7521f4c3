"""Small drawings: where a value and its interval lie on an axis that a whole column shares.

They are SVG with attributes only, as the content security policy of the pages allows no inline styles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 96
"""Width of a drawing in user units."""


@dataclass(frozen=True)
class Axis:
    """A range of values; `origin` is drawn as a line where it lies inside."""

    low: float
    high: float
    origin: float | None = None

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to WIDTH, a little inside both ends."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return round(2 + (WIDTH - 4) * min(max(share, 0.0), 1.0), 1)


@dataclass(frozen=True)
class Bar:
    """A value with its interval, in user units."""

    low: float
    value: float
    high: float
    origin: float | None


def axis(bounds: Iterable[float | None], origin: float | None = None) -> Axis | None:
    """The axis that holds all these values and the origin; None where there are none."""
    known = [bound for bound in bounds if bound is not None]
    if not known:
        return None
    if origin is not None:
        known.append(origin)
    return Axis(min(known), max(known), origin)


def bar(on: Axis | None, value: float | None, low: float | None, high: float | None) -> Bar | None:
    """A value with its interval on an axis; None where there is no value."""
    if on is None or value is None:
        return None
    at = on.place(value)
    return Bar(
        low=at if low is None else on.place(low),
        value=at,
        high=at if high is None else on.place(high),
        origin=None if on.origin is None else on.place(on.origin),
    )


def shade(value: float | None, steps: int = 7) -> int:
    """How dark a cell is, 0 … `steps`, from its normalised value; 0 at chance, below it, and where there is none."""
    return 0 if value is None else round(min(max(value, 0.0), 1.0) * steps)
