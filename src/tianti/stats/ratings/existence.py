"""Whether the battles determine ratings at all. Where they do not, no number is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford, connected_components

from tianti.core.exceptions import InputError
from tianti.core.wording import counted
from tianti.stats.ratings.battles import Counts

MOST_NAMED = 5
REMEDY = "leave those out (`--leave-out`), collect battles that link them, or state a prior (`--prior 0.5`)"


def check_connected(counts: Counts, names: Sequence[str]) -> None:
    """The maximum of the likelihood is finite iff each model can be reached from each by wins (Ford 1957, Am.
    Math. Monthly 64, 28–33); a tie counts as a win of both.

    Raises:
        InputError: it is not so; names who is cut off from whom.
    """
    reached = counts.wins + counts.ties > 0
    parts, part = connected_components(csr_array(reached), directed=True, connection="strong")
    if parts == 1:
        return
    sizes = np.bincount(part)
    largest = int(sizes.argmax())
    cut_off = [index for index in np.argsort(sizes, kind="stable") if index != largest]
    lines = [_describe(part == index, reached, names) for index in cut_off[:MOST_NAMED]]
    if len(cut_off) > MOST_NAMED:
        lines.append(f"and {len(cut_off) - MOST_NAMED} more groups")
    raise InputError(
        f"the battles do not link all {counted(len(names), 'model')}, so their ratings cannot be compared: "
        + "; ".join(lines),
        remedy=REMEDY,
    )


def exist(counts: Counts, *, ties: bool) -> bool:
    """Whether these counts determine ratings, and Davidson's ν with `ties`; for data that were fitted before,
    of which some were dropped."""
    names = [str(index) for index in range(len(counts.wins))]
    try:
        check_connected(counts, names)
        if ties:
            check_tie_rate(counts)
    except InputError:
        return False
    return bool(counts.wins.any() and (counts.ties.any() or not ties))


def _describe(inside: NDArray[np.bool_], reached: NDArray[np.bool_], names: Sequence[str]) -> str:
    won, lost = reached[inside][:, ~inside].any(), reached[~inside][:, inside].any()
    members = [name for name, is_inside in zip(names, inside, strict=True) if is_inside]
    who = ", ".join(members[:MOST_NAMED])
    if len(members) > MOST_NAMED:
        who += f" and {len(members) - MOST_NAMED} more"
    if not won and not lost:
        return f"{who} met none of the others"
    if not lost:
        return f"{who} won all battles against the others"
    if not won:
        return f"{who} lost all battles against the others"
    return f"{who} won all battles against some of the others and lost all against the rest"


def check_tie_rate(counts: Counts) -> None:
    """Whether Davidson's ν is finite, where the battles link all models and some are ties.

    The likelihood rises without end as ν and the margins grow together, iff some numbers u satisfy u_i − u_j ≥
    1 for each win of i over j and |u_i − u_j| ≤ 1 for each tie. Such difference constraints have a solution
    iff the graph with weights −1 along wins and +1 along ties, both ways, has no cycle of negative weight.

    Raises:
        InputError: ν is not finite.
    """
    size = len(counts.wins)
    parts, _ = connected_components(csr_array(counts.wins > 0), directed=True, connection="strong")
    if parts < size:  # there is a cycle of wins alone, such as two models that beat each other
        return
    weights = np.zeros((size + 1, size + 1))
    weights[0, 1:] = 1.0  # a start from which every model is reached
    weights[1:, 1:] = np.where(counts.wins > 0, -1.0, np.where(counts.ties > 0, 1.0, 0.0))
    try:
        bellman_ford(csr_array(weights), directed=True, indices=0)
    except NegativeCycleError:
        return
    raise InputError(
        "how often equal models tie cannot be told from these battles: whoever won against another never lost "
        "to it, and ties explain the rest",
        remedy="count ties as half a win for each (`--ties half`), or state a prior (`--prior 0.5`)",
    )
