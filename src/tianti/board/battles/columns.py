"""Which columns of a table of votes hold the models, the winner, the voter and the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tianti.core.exceptions import InputError, UnknownNameError

SIDES = (("model_a", "model_b"), ("left", "right"), ("first", "second"))
"""Pairs of columns that are recognised, the first that is there."""
WINNER = "winner"
VOTERS = ("voter", "worker", "judge", "user")
NONE = "none"
"""Given as a voter: cluster by nobody."""


@dataclass(frozen=True)
class Columns:
    """Names of columns. `voter` and `prompt` are None where battles are not clustered by them; `style` holds
    pairs of columns of numbers, of the first model's answer and of the second's."""

    first: str
    second: str
    winner: str
    voter: str | None
    prompt: str | None
    style: tuple[tuple[str, str], ...]

    @property
    def clusters(self) -> tuple[str, ...]:
        """The columns that say which battles belong together."""
        return tuple(name for name in (self.voter, self.prompt) if name is not None)


def find_columns(
    present: Sequence[str],
    *,
    left: str | None = None,
    right: str | None = None,
    winner: str | None = None,
    voter: str | None = None,
    prompt: str | None = None,
    style: Sequence[str] = (),
) -> Columns:
    """The columns that were named, and those that are recognised where none was.

    Raises:
        UnknownNameError: a column that was named is not there.
        InputError: none is recognised, or one side is named without the other.
    """
    if (left is None) != (right is None):
        raise InputError("one of --left and --right is given", remedy="name both columns or neither")
    if left is None or right is None:
        found = next((pair for pair in SIDES if set(pair) <= set(present)), None)
        if found is None:
            pairs = "; ".join(", ".join(pair) for pair in SIDES)
            raise InputError(
                f"no columns of the two models: expected {pairs}; found {_listed(present)}",
                remedy="name them with --left and --right",
            )
        left, right = found
    if winner is None and WINNER not in present:
        raise InputError(
            f"no column {WINNER!r}; found {_listed(present)}", remedy="name it with --winner COLUMN"
        )
    if voter is None:
        voter = next((name for name in VOTERS if name in present), None)
    elif voter == NONE:
        voter = None
    pairs_of_style = tuple(map(_style_pair, style))
    columns = Columns(left, right, winner or WINNER, voter, prompt, pairs_of_style)
    named = [columns.first, columns.second, columns.winner, *columns.clusters]
    for name in [*named, *(name for pair in pairs_of_style for name in pair)]:
        if name not in present:
            raise UnknownNameError("column", name, present)
    if len(set(named)) < len(named):
        raise InputError(f"one column is given two roles: {', '.join(named)}")
    return columns


def _style_pair(text: str) -> tuple[str, str]:
    first, mark, second = text.partition(":")
    if not (mark and first and second):
        raise InputError(
            f"--style {text}: expected COLUMN_A:COLUMN_B, numbers of the first answer and of the second",
            remedy="such as --style length_a:length_b",
        )
    return first, second


def _listed(present: Sequence[str]) -> str:
    return ", ".join(present[:20]) + (", …" if len(present) > 20 else "")
