"""What 0 is in a mean: guessing, where the chance levels of its tasks are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Zero = Literal["guessing", "score", "both"]
ZEROS: Mapping[Zero, str] = {
    "guessing": "0 is guessing",
    "score": "no chance levels are known: 0 is a score of 0",
    "both": "0 is guessing, or a score of 0 where chance is not known",
}


def zero_of(chances: Sequence[float | None]) -> Zero:
    """Of a mean over tasks of these chance levels: guessing where all are known, a score of 0 where none is."""
    known = [chance is not None for chance in chances]
    return "guessing" if all(known) else "both" if any(known) else "score"
