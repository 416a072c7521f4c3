"""Two entries beside each other, or a new one among the others, for the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.board.compare import Comparison, Difference
from tianti.board.place import PlacedEntry
from tianti.board.show import MISSING, difference, half_width, number, percent, rank_text
from tianti.core.wording import counted

TITLES = ("first", "second", "diff.", "interval", "p", "p\n(Holm)", "better\non", "worse\non", "items")
"""Of numbers: whole in a terminal of 80 columns, where the names of tasks are folded."""


def render_comparison(comparison: Comparison) -> RenderableType:
    """First minus second on each task and overall."""
    table = Table(box=None, padding=(0, 1), header_style="bold", collapse_padding=True, pad_edge=False)
    table.add_column("task", overflow="fold", min_width=12)
    for title in TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    for row in [*comparison.tasks, *([comparison.overall] if comparison.overall else [])]:
        table.add_row(*_difference(row), style="bold" if row is comparison.overall else None)
    level = f"{comparison.level:.0%}"
    lines = [
        f"first:  {comparison.first}",
        f"second: {comparison.second}",
        "",
    ]
    legend = [
        f"Differences are first − second on the samples that both answered, with paired {level} intervals;",
        f"p is two-sided; p (Holm) allows for looking at {counted(comparison.family, 'task')}. Shares are in %.",
    ]
    untested = [task.task for task in comparison.tasks if task.p is None]
    if untested:
        legend.append(
            f"{MISSING}: no mean over samples, and so compared without interval and test: {', '.join(untested)}"
        )
    if comparison.stopped:
        legend.append(
            "These entries stopped when their ranking was decided: intervals and p do not allow for that, the "
            "board does."
        )
    for name, tasks in comparison.only:
        legend.append(f"Only {name} has: {', '.join(tasks)}")
    return Group(*map(Text, lines), table, "", *(Text(line, style="dim") for line in legend))


def render_place(placed: PlacedEntry) -> RenderableType:
    """Where a new entry stands, after how many samples."""
    rank = rank_text(placed.rank_low, placed.rank_high, placed.rank_low)
    lines = [
        f"{placed.entry}: rank {rank} of {placed.of}, mean {percent(placed.mean)} "
        f"({percent(placed.low)} to {percent(placed.high)}).",
        "",
    ]
    for title, names in (
        ("better than it", placed.above),
        (f"within {placed.delta:g} points of it", placed.tied),
        ("worse than it", placed.below),
        ("not settled: answers are missing", placed.open),
    ):
        if names:
            lines.append(f"{title}: {', '.join(names)}")
    settled = "settled" if not placed.open else "not settled"
    legend = (
        f"{settled} after {placed.n:,} of {placed.items:,} samples; all of this holds at once with "
        f"{placed.level:.0%}, at whatever sample one stops. Target: {placed.target} "
        f"(order of seed {placed.order_seed}, sha256 {placed.order_sha256[:12]})."
    )
    return Group(*map(Text, lines), "", Text(legend, style="dim"))


def _p(value: float | None) -> str:
    return MISSING if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _difference(row: Difference) -> list[Text]:
    write = percent if row.share else number
    half = half_width(row.low, row.high)
    ends = [difference(end, row.share) for end in (row.low, row.high)]
    interval = MISSING if half is None else " … ".join(ends)
    counts = [MISSING if count is None else str(count) for count in (row.wins, row.losses)]
    texts = [
        row.task,
        write(row.first),
        write(row.second),
        difference(row.difference, row.share),
        interval,
        _p(row.p),
        _p(row.p_holm),
        *counts,
        str(row.n),
    ]
    return [Text(text) for text in texts]
