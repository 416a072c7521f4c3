"""How an update and the versions of an entry are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tianti.board.show import MISSING, plain

if TYPE_CHECKING:
    from tianti.deployment import Change, Rules, Update, Versions


def print_update(found: Update, rules: Rules, again: str, where: str, *, as_json: bool) -> None:
    """Old and new score of every task, the decision, and what can be done next."""
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
        return
    console = Console()
    if found.known:
        _say(
            console,
            f"version {found.version.number} of {found.version.name} is current and has learned this data already "
            "(to learn it in another way, restore an earlier version first).",
        )
        return
    console.print(_table(found.changes))
    _say(console, *_legend(found.changes, rules), style="dim")
    name, number = found.before.name, found.version.number
    if found.promoted:
        _say(
            console,
            f"promoted: version {number} of {name} is current: {found.reason}.",
            f"Go back:     {again} --restore {found.before.number}{where}",
            f"Look closer: tianti show {_taught(found)}{where}",
        )
        return
    _say(
        console,
        f"refused: version {found.before.number} of {name} stays current: {found.reason}.",
        *_refused_before(found),
        "Look at the labels of the new examples; "
        + ("" if found.version.strategy == "separate" else "or learn in another way: --strategy; ")
        + "or allow a larger fall: --margin.",
        f"All versions: {again} --versions{where}",
        f"Look closer:  tianti show {_taught(found)}{where}",
    )


def _refused_before(found: Update) -> list[str]:
    if not found.again:
        return []
    version = found.version
    return [
        f"It was refused before, as version {version.number} of {version.created_at[:19]}: all of it was in the store, "
        "and nothing was trained."
    ]


def print_versions(found: Versions, *, as_json: bool) -> None:
    """The versions of an entry, oldest first, and which was current when."""
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
        return
    console = Console()
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for title in ("version", "state", "made of", "by", "tasks", "made at"):
        table.add_column(title, no_wrap=title != "by", overflow="fold")
    table.add_column("why", overflow="fold")
    for version in found.versions:
        state = "current" if version.number == found.current else version.state
        made = ("–" if version.parent is None else str(version.parent), version.strategy or "the board")
        facts = (str(version.number), state, *made, str(len(version.served)), version.created_at[:19])
        table.add_row(*map(Text, (*facts, version.reason)))
    _say(console, found.name)
    console.print(table)
    if not found.deployed:
        _say(
            console, "never deployed: its first update makes this version, of its finished runs.", style="dim"
        )


def print_restored(found: Any, *, as_json: bool) -> None:
    """Which version is current now."""
    if as_json:
        typer.echo(json.dumps({"name": found.name, "current": found.number}, ensure_ascii=False))
    else:
        typer.echo(f"version {found.number} of {found.name} is current.")


def _taught(found: Update) -> str:
    """A run of the task that was taught."""
    task = next(change.task for change in found.changes if change.role != "old")
    return next(served.runs[0] for served in found.version.served if served.task == task)


def _table(changes: Sequence[Change]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("task", overflow="fold", min_width=12)
    for title in ("before", "after", "change", "95% interval", "samples"):
        table.add_column(title, justify="right")
    table.add_column("")
    for change in changes:
        table.add_row(*map(Text, _row(change)))
    return table


def _row(change: Change) -> tuple[str, ...]:
    shown = [
        MISSING if value is None else f"{100 * value:.1f}" if change.unit == "points" else plain(value)
        for value in (change.before, change.after)
    ]
    mark = "%" if change.unit == "%" else ""
    gain = MISSING if change.gain is None else f"{change.gain:+.1f}{mark}"
    interval = MISSING
    if change.low is not None and change.high is not None and not change.unchanged:
        interval = f"{change.low:+.1f} to {change.high:+.1f}{mark}"
    role = "same model" if change.unchanged else "" if change.role == "old" else change.role
    return (change.task, *shown, gain, interval, str(change.n), role)


def _legend(changes: Sequence[Change], rules: Rules) -> list[str]:
    lines = [
        "change: after − before in points, on the same samples, with its paired interval; + is a gain.",
        f"rule: no task may fall by more than {rules.margin:g} points, "
        + ("as measured." if rules.by == "estimate" else "wherever in the interval the truth lies."),
    ]
    if any(change.unchanged for change in changes):
        lines.append("same model: nothing was trained that answers this task, so its runs stand.")
    if any(change.role == "new" for change in changes):
        lines.append("before of a new task: what the old version, which was never taught it, makes of it.")
    lines += [f"overlap: {change.task}: {change.overlap}." for change in changes if change.overlap]
    return lines


def _say(console: Console, *lines: str, style: str | None = None) -> None:
    for line in lines:
        console.print(Text(line, style=style or ""), highlight=False)
