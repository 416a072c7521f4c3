"""A ranking of entries by their items for the terminal, with the rank-stability panel."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.board.item_scores.panel import Compared, Panel
from tianti.board.item_scores.rank import ItemRanking
from tianti.board.show import MISSING, percent, rank_text
from tianti.board.zero import ZEROS, zero_of
from tianti.core.wording import counted

NAME_WIDTH = 44
NARROWEST_NAME = 12
"""Columns of the panel go before its names become narrower than this."""
MEANING = {
    "mean": "the weighted mean of the tasks",
    "common": "the weighted mean of the largest common set of tasks",
    "borda": "the mean share of entries that it is ahead of",
    "win-rate": "the mean share of the entries on a task that it beats",
    "latent": "its ability under a logistic model, as the score to expect on all tasks",
}
"""What an entry's value is, in per cent."""


def to_text(found: ItemRanking) -> str:
    """Table and panel as plain text, as wide as the terminal or 80 characters where there is none."""
    console = Console(file=StringIO(), color_system=None, force_terminal=False, force_jupyter=False)
    with console.capture() as captured:
        console.print(render(found, stability=True))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def render(found: ItemRanking, *, stability: bool = False, top: int | None = None) -> RenderableType:
    """The table with its footnotes; with `stability` the panel below it. `top` rows of each are shown."""
    parts: list[RenderableType] = [_table(found, top), "", *_dim(_notes(found, top))]
    if stability:
        parts += ["", _panel(found, top), "", *_dim(_stability_notes(found.stability))]
    return Group(*parts)


def _dim(lines: Iterable[str]) -> list[Text]:
    return [Text(line, style="dim") for line in lines]


def _table(found: ItemRanking, top: int | None) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("entry", overflow="fold", max_width=NAME_WIDTH)
    for title in (found.by, "interval", "tasks", "items"):
        table.add_column(title, justify="right", no_wrap=True)
    used = {task.name for task in found.tasks if task.used}
    for entry in found.entries[:top]:
        interval = MISSING if entry.low is None else f"{percent(entry.low)} … {percent(entry.high)}"
        tasks = sum(name in used for name in entry.cells)
        rank = rank_text(entry.rank_low, entry.rank_high, entry.rank)
        table.add_row(
            *map(Text, [rank, entry.name, percent(entry.value), interval, str(tasks), f"{entry.n:,}"])
        )
    return table


def _panel(found: ItemRanking, top: int | None) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold", title="rank stability", title_justify="left")
    table.add_column("entry", overflow="fold", min_width=NARROWEST_NAME, max_width=NAME_WIDTH)
    by_name = {entry.name: entry for entry in found.stability.entries}
    names = list(next(iter(by_name.values())).places)
    for title in (*names, "one task less", "other weights", "first in"):
        table.add_column(title, justify="right", no_wrap=True)
    for entry in found.entries[:top]:
        stable = by_name[entry.name]
        places = [MISSING if (place := stable.places[name]) is None else str(place) for name in names]
        first = MISSING if stable.weights_first is None else f"{100 * stable.weights_first:.0f} %"
        ranges = [
            rank_text(low, high, low)
            for low, high in (
                (stable.without_low, stable.without_high), (stable.weights_low, stable.weights_high),
            )
        ]  # fmt: skip
        table.add_row(*map(Text, [entry.name, *places, *ranges, first]))
    return table


def _notes(found: ItemRanking, top: int | None) -> Iterable[str]:
    hidden = len(found.entries) - len(found.entries[:top])
    if hidden:
        yield f"{counted(hidden, 'more entry', 'more entries')}: --json has all."
    level = f"{found.level:.0%}"
    used = [task for task in found.tasks if task.used]
    each = f", each answered {found.repeats} times or more" if found.repeats > 1 else ""
    groups = f" in {found.clusters:,} clusters" if found.clusters is not None else ""
    yield (
        f"{found.by}: {MEANING[found.by]}, in %; {ZEROS[zero_of([task.chance for task in used])]}, 100 perfect. "
        f"{len(used)} of {counted(len(found.tasks), 'task')}, {counted(found.n, 'item')}{groups}{each}."
    )
    if found.ranks == "simultaneous":
        yield (
            f"rank: all intervals hold at once with {level} ({found.method}, {found.family:,} hypotheses); "
            f"interval: {level}, each alone, for {found.target}."
        )
    else:
        yield (
            f"rank and interval: {level} of {counted(found.draws, 'resample')} of the items, seed {found.seed} "
            f"({found.method}): each is about its entry alone, for {found.target}; far too narrow for all at once."
        )
    weights = {task.weight for task in used}
    if len(weights) > 1:
        yield "weights: " + ", ".join(f"{task.name} {percent(task.weight)} %" for task in used)
    chances = [f"{task.name} {percent(task.chance)} %" for task in found.tasks if task.chance]
    yield f"chance levels: {', '.join(chances)}" if chances else "no chance levels given: 0 is a score of 0"
    yield from _gaps(found)
    for name, why in found.excluded:
        yield f"not ranked by: {name} ({why})"


def _gaps(found: ItemRanking) -> Iterable[str]:
    """What is missing, repeated or left out."""
    unused = [task.name for task in found.tasks if not task.used and task.weight > 0]
    if unused:
        yield f"outside the common set: {', '.join(unused)}"
    total = found.cells + found.missing
    if found.missing or found.short:
        yield (
            f"gaps: {found.missing:,} of {total:,} cells (entry and task) are missing, {found.short:,} rest on some of "
            "the task's items only; such means are not of the same items, the tests look at shared items alone."
            if found.ranks == "simultaneous" else
            f"gaps: {found.missing:,} of {total:,} cells (entry and task) are missing, {found.short:,} rest on some of "
            "the task's items only; such means are not of the same items."
        )  # fmt: skip
    if found.unshared:
        pairs = len([entry for entry in found.entries if entry.rank is not None])
        named = ", ".join(f"{task} {count:,}" for task, count in found.unshared.items())
        yield (
            f"apart: of {pairs * (pairs - 1) // 2:,} pairs of entries so many have no item of a task in common: "
            f"{named}; nothing is shown between these, which widens their ranks."
        )
    lacking = [entry.name for entry in found.entries if entry.rank is None]
    if lacking:
        named = ", ".join(lacking[:5]) + (", …" if len(lacking) > 5 else "")
        yield f"not ranked, for a task is missing: {counted(len(lacking), 'entry', 'entries')}: {named}"
    if found.repeated:
        yield f"repeated: {counted(found.repeated, 'row')} of an entry's further answers to an item: averaged."
    for left in found.left_out:
        yield f"left out: {counted(left.rows, 'row')}: {left.reason} (the first is row {left.first_row})."


def _stability_notes(panel: Panel) -> Iterable[str]:
    yield (
        f"columns: the place by each aggregate; the range of places by {panel.by} when one task is left out; that from "
        f"the 5 % to the 95 % quantile under {panel.draws:,} random sets of weights; the share of these in which the "
        "entry is first."
    )
    for pair in panel.compared:
        if pair.first == panel.by or pair.second == panel.by:
            yield _compared(pair)
    for name, why in panel.refused.items():
        yield f"{name}: not computed: {why}"
    yield _other_leaders(panel)
    change = panel.weight_change
    if change is not None:
        yield (
            f"other weights: if {percent(change.share)} % of the weight moves to other tasks, {change.challenger} "
            f"draws level with {change.leader}."
        )
    elif panel.by not in ("win-rate", "latent"):
        yield "other weights: none put another entry first."


def _compared(pair: Compared) -> str:
    text = f"{pair.first} and {pair.second}: "
    if pair.tau is None:
        return text + f"{counted(pair.entries, 'entry', 'entries')} in both, no order to compare"
    text += f"Kendall's τ {pair.tau:.3f} over {counted(pair.entries, 'entry', 'entries')}"
    if pair.mover is None:
        return text + ", the same order"
    return f"{text}; {pair.mover} moves farthest, from {pair.place_first} to {pair.place_second}"


def _other_leaders(panel: Panel) -> str:
    first = {entry.name for entry in panel.entries if entry.places[panel.by] == 1}
    others = [f"{each.task} ({', '.join(each.first)})" for each in panel.without if set(each.first) - first]
    if not others:
        return "one task less: the same entry stays first, whichever task is left out."
    return f"one task less: another entry is first, or shares the place, without {'; without '.join(others)}."
