"""Which entries are worth their cost: the Pareto front of score against one cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.board.board import Board
from tianti.board.costs import COSTS
from tianti.board.entries import Entry
from tianti.board.show import mean_text, quantity_text
from tianti.core.exceptions import UnknownNameError

WITHOUT = {
    "energy": "state the power of the machine with --watts",
    "parameters": "nobody said how large the models are",
}
"""Why nothing is known of a cost."""


@dataclass(frozen=True)
class Member:
    """An entry with its cost. `on_front`: no other has a score as high for less, or a higher one for as little."""

    entry: Entry
    cost: float
    on_front: bool


def pareto(board: Board, cost: str) -> list[Member]:
    """The entries that have all tasks and of which the cost is known, cheapest first; of equal cost the best first.

    Means are compared as they are, without regard to their intervals. What an entry took that was imported nobody said,
    but perhaps how large its model is; a mean over fewer tasks is no mean of the same.

    Raises:
        UnknownNameError: there is no such cost.
    """
    if cost not in COSTS:
        raise UnknownNameError("cost", cost, COSTS)
    known = [
        (value, entry)
        for entry in board.entries
        if entry.complete and entry.mean is not None and (value := COSTS[cost](entry)) is not None
    ]
    known.sort(key=lambda pair: (pair[0], -(pair[1].mean or 0.0), pair[1].name))
    marks = front([(value, entry.mean or 0.0) for value, entry in known])
    return [Member(entry, value, mark) for (value, entry), mark in zip(known, marks, strict=True)]


def front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which of these (cost, score) are on the front, in their order: cheap is good, high is good.

    A point is not on it where another is at least as good in both and better in one; of equal points all are or none.
    """
    best_cheaper, best = float("-inf"), float("-inf")
    on_front = [False] * len(points)
    last = None
    for index in sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1])):
        cost, score = points[index]
        if cost != last:
            best_cheaper, last = best, cost
            best = max(best, score)
            top = score
        on_front[index] = score == top and score > best_cheaper
    return on_front


def near_front(found: Sequence[Member], others: int) -> list[Member]:
    """Of `found`, which is as `pareto` gives it: the front, and so many others that fall least short of it.

    One falls short by how much higher a mean is to be had for as little; of equal ones the cheaper counts as nearer.
    """
    best, short = float("-inf"), {}
    for place, member in enumerate(found):
        best = max(best, member.entry.mean or 0.0)
        if not member.on_front:
            short[place] = best - (member.entry.mean or 0.0)
    near = set(sorted(short, key=lambda place: short[place])[:others])
    return [member for place, member in enumerate(found) if member.on_front or place in near]


def as_json(found: Sequence[Member]) -> list[dict[str, Any]]:
    """The members as plain data."""
    return [
        {
            "entry": member.entry.name,
            "cost": member.cost,
            "mean": member.entry.mean,
            "low": member.entry.low,
            "high": member.entry.high,
            "on_front": member.on_front,
        }
        for member in found
    ]


def render_front(found: Sequence[Member], cost: str) -> RenderableType:
    """A table of the entries by their cost, those on the front marked."""
    if not found:
        return Text(f"No entry has a known cost in {cost}: {WITHOUT.get(cost, 'nothing was measured')}.")
    table = Table(title=f"mean against {cost}, cheapest first", title_justify="left", box=None)
    table.add_column("front")
    table.add_column("entry")
    table.add_column(cost, justify="right")
    table.add_column("mean", justify="right")
    for member in found:
        shown = quantity_text(cost, member.cost)
        table.add_row("★" if member.on_front else "", Text(member.entry.name), shown, mean_text(member.entry))
    legend = (
        "★: no other has as high a mean for less. Means are compared as they are, whatever their intervals."
    )
    return Group(table, Text(legend, style="dim"))
