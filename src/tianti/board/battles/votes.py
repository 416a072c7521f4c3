"""A table of votes as battles: names become numbers, and each row that is left out is counted with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tianti.board.battles.columns import Columns
from tianti.board.tables import LeftOut, RowFilter, codes_of, numbers_of
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats.moments import Array
from tianti.stats.ratings import FIRST_WINS, SECOND_WINS, TIE, Battles

BOTH_BAD = 3
WINNERS = {
    "model_a": FIRST_WINS, "left": FIRST_WINS, "first": FIRST_WINS, "a": FIRST_WINS,
    "model_b": SECOND_WINS, "right": SECOND_WINS, "second": SECOND_WINS, "b": SECOND_WINS,
    "tie": TIE, "draw": TIE,
    "tie (bothbad)": BOTH_BAD, "both_bad": BOTH_BAD, "both bad": BOTH_BAD, "bothbad": BOTH_BAD,
}  # fmt: skip
"""What a winner may be called, in any case."""


@dataclass(frozen=True)
class Votes:
    """Battles with the names of their models. `both_bad` counts for each model the battles in which both
    answers were called bad; they are not among `battles`, nor among those left out."""

    names: tuple[str, ...]
    battles: Battles
    both_bad: NDArray[np.intp]
    both_bad_rows: int
    rows: int
    left_out: tuple[LeftOut, ...]


def make_votes(
    table: pa.Table, columns: Columns, *, limit_to: Sequence[str] = (), leave_out: Sequence[str] = ()
) -> Votes:
    """The battles of a table.

    A row without a model, a winner, a voter, a prompt or a covariate is left out and counted; so is a model
    against itself, and a row with a model that is not wanted. A winner that is not one of `WINNERS`, or a
    covariate that is no number from 0, is an error: guessing there would change the order.

    Raises:
        InputError: such a value, with its row; or no battle is left.
        UnknownNameError: a model that is wanted, or not, is in no row.
    """
    sides, names = codes_of([table[columns.first], table[columns.second]])
    outcome = _outcomes(table[columns.winner], columns.winner)
    keys = [codes_of([table[name]])[0][0] for name in columns.clusters]
    pairs = [(_covariate(table, a), _covariate(table, b)) for a, b in columns.style]
    out = RowFilter(table.num_rows)
    needed = [(columns.first, sides[0] < 0), (columns.second, sides[1] < 0), (columns.winner, outcome < 0)]
    needed += [(name, codes < 0) for name, codes in zip(columns.clusters, keys, strict=True)]
    needed += [
        (name, np.isnan(values))
        for names_of_pair, numbers in zip(columns.style, pairs, strict=True)
        for name, values in zip(names_of_pair, numbers, strict=True)
    ]
    for name, missing in needed:
        out.drop(missing, f"no {name}")
    out.drop(sides[0] == sides[1], "a model against itself")
    wanted = _wanted(names, limit_to, leave_out)
    out.drop(~wanted[sides[0]] | ~wanted[sides[1]], "a model that is not asked for")
    bad = out.kept & (outcome == BOTH_BAD)
    kept = out.kept & ~bad
    if not kept.any():
        reasons = ", ".join(f"{left.rows:,} × {left.reason}" for left in out.found)
        if bad.any():
            reasons += f"{', ' if reasons else ''}{int(bad.sum()):,} × both bad"
        raise InputError(f"no battle is left of {table.num_rows:,} rows: {reasons}")
    shown = np.unique(np.concatenate([side[kept | bad] for side in sides]))
    number = np.full(len(names), -1, dtype=np.intp)
    fought = np.unique(np.concatenate([side[kept] for side in sides]))
    number[fought] = np.arange(len(fought))
    _refuse_without_battles([names[index] for index in np.setdiff1d(shown, fought)])
    both_bad = sum(np.bincount(number[side[bad]], minlength=len(fought)) for side in sides)
    battles = Battles(
        first=number[sides[0][kept]],
        second=number[sides[1][kept]],
        outcome=outcome[kept].astype(np.int8),
        models=len(fought),
        style=np.stack([_style(a[kept], b[kept]) for a, b in pairs], axis=1) if pairs else None,
        clusters=tuple(np.unique(codes[kept], return_inverse=True)[1].astype(np.intp) for codes in keys),
    )
    return Votes(
        tuple(names[index] for index in fought), battles, np.asarray(both_bad), int(bad.sum()),
        table.num_rows, tuple(out.found),
    )  # fmt: skip


def _outcomes(column: pa.ChunkedArray, name: str) -> NDArray[np.intp]:
    (codes,), values = codes_of([column])
    meaning = np.asarray([*(WINNERS.get(value.lower(), -2) for value in values), -1], dtype=np.intp)
    outcome = meaning[codes]
    unknown = np.flatnonzero(outcome == -2)
    if len(unknown):
        row = int(unknown[0])
        raise InputError(
            f"row {row + 1}: {name} is {values[codes[row]]!r}, expected one of {', '.join(WINNERS)}",
            remedy="rename that value, or name another column with --winner",
        )
    return outcome


def _covariate(table: pa.Table, name: str) -> Array:
    return numbers_of(table[name], name, remedy="a covariate of style is a length or a count")


def _style(first: Array, second: Array) -> Array:
    """(A − B)/(A + B), divided by its root mean square over the battles; 0 where both are 0.

    Its mean is not taken off: that would be a constant in favour of whoever stands first.
    """
    total = first + second
    share = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0)
    scale = float(np.sqrt(np.square(share).mean()))
    return np.asarray(share / scale if scale > 0 else share, dtype=np.float64)


def _wanted(names: Sequence[str], limit_to: Sequence[str], leave_out: Sequence[str]) -> NDArray[np.bool_]:
    for name in (*limit_to, *leave_out):
        if name not in names:
            raise UnknownNameError("model", name, names)
    return np.asarray(
        [(not limit_to or name in limit_to) and name not in leave_out for name in names], dtype=bool
    )


def _refuse_without_battles(names: Sequence[str]) -> None:
    if names:
        raise InputError(
            f"{', '.join(names[:5])}: every battle ended with both bad, which ranks nobody",
            remedy="leave them out (`--leave-out`)",
        )
