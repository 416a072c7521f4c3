"""A board, or a comparison of two entries, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tianti.board.aspects import chosen_aspects
from tianti.board.board import AspectColumn, Board, Cell, Column, Decided, Entry, Winner
from tianti.board.compare import Comparison, Difference
from tianti.board.place import PlacedEntry
from tianti.board.show import (
    MISSING,
    cell_text,
    half_width,
    mean_text,
    number,
    percent,
    rank_text,
    value_text,
)
from tianti.core.wording import counted

MODEL_WIDTH = 32
ADAPTATION_WIDTH = 26
HEADING_WIDTH = 12
MOST_NOTES = 8
EXCLUSIONS = {
    "ratio": "its metric is no mean over samples",
    "lower": "lower is better",
    "chance": "its chance level is not in [0, 1)",
    "range": "its values are not in [0, 1]",
    "fresh": "fresh samples of a task that is there already",
}


@dataclass(frozen=True)
class _Style:
    """How much of a cell is written."""

    decimals: int
    interval: bool
    names: bool = True
    """Whether tasks stand in the headings; otherwise numbers do, and the names below the table."""


STYLES = (_Style(1, True), _Style(0, True), _Style(0, False), _Style(0, False, names=False))
"""From full to brief: the first that fits the terminal is used; if none does, tasks are left out."""


def to_text(board: Board) -> str:
    """The board as plain text, as wide as the terminal or 80 characters where there is none."""
    console = Console(file=StringIO(), color_system=None, force_terminal=False, force_jupyter=False)
    with console.capture() as captured:
        console.print(render(board))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def render(board: Board, metrics: Sequence[str] = ()) -> RenderableType:
    """The board as a table as wide as the terminal allows, with a legend and a note for what is missing.

    Args:
        metrics: further metrics (calibration, robustness, …) that are shown as columns behind the tasks.

    Raises:
        UnknownNameError, InputError: the board has no such metric.
    """
    further = chosen_aspects(board.aspects, metrics)
    return _View(board, further) if board.entries else Text("The board is empty: nothing has been run yet.")


@dataclass(frozen=True)
class _View:
    """Rich asks it how it looks in a given width."""

    board: Board
    further: Sequence[AspectColumn] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        board = self.board
        left = [_left(entry) for entry in board.entries]
        used = sum(_width(column) for column in zip(*left, strict=True)) + 1
        columns: list[Column] = [*board.columns, *self.further]
        names = _headings(columns)
        for style in STYLES:
            headings = names if style.names else [str(number + 1) for number in range(len(names))]
            cells = [
                [
                    _cell(entry.cells.get(c.name) or entry.aspects.get(c.name), c, style)
                    for entry in board.entries
                ]
                for c in columns
            ]
            widths = [_width([*h.split("\n"), *column]) for h, column in zip(headings, cells, strict=True)]
            if used + sum(widths) <= options.max_width:
                break
        ends = accumulate(widths, initial=used)
        shown = sum(end <= options.max_width for end in ends) - 1
        yield _table(board, left, headings[: max(shown, 0)], cells)
        yield ""
        numbered = [] if style.names else [_numbered(names)]
        for line in [
            *numbered,
            *_legend(board),
            *_about(self.further),
            *_hidden(len(columns) - max(shown, 0), "column" if self.further else "task"),
            *_notes(board),
        ]:
            yield Text(line, style="dim")


def _table(
    board: Board, left: Sequence[Sequence[str]], headings: Sequence[str], cells: Sequence[Sequence[str]]
) -> Table:
    title = Text(board.title) if board.title else None
    table = Table(box=None, padding=(0, 1), title=title, title_justify="left", header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=MODEL_WIDTH)
    table.add_column("adaptation", overflow="fold", max_width=ADAPTATION_WIDTH)
    table.add_column("mean", justify="right", no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", overflow="fold", max_width=HEADING_WIDTH)
    for index, texts in enumerate(left):
        row = [*texts, *(column[index] for column in cells[: len(headings)])]
        table.add_row(*map(Text, row))
    return table


def _left(entry: Entry) -> tuple[str, str, str, str]:
    rank = rank_text(entry.rank_low, entry.rank_high, entry.rank)
    mean = mean_text(entry) if entry.complete or entry.mean is None else f"({mean_text(entry)})"
    return rank, entry.model, entry.adaptation, mean


def _width(texts: Iterable[str]) -> int:
    """The width of a column with its padding; long names are folded."""
    return 2 + min(max(max(map(cell_len, texts), default=0), 2), MODEL_WIDTH)


def render_comparison(comparison: Comparison) -> RenderableType:
    """First minus second on each task and overall."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("task", overflow="fold", min_width=12)
    for title in (
        "first",
        "second",
        "difference",
        "interval",
        "p",
        "p (Holm)",
        "better on",
        "worse on",
        "items",
    ):
        table.add_column(title, justify="right")
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
        f"{settled} after {placed.asked:,} of {placed.items:,} samples; all of this holds at once with "
        f"{placed.level:.0%}, at whatever sample one stops. Target: {placed.target} "
        f"(order of seed {placed.order_seed}, sha256 {placed.order_sha256[:12]})."
    )
    return Group(*map(Text, lines), "", Text(legend, style="dim"))


def _cell(cell: Cell | None, column: Column, style: _Style) -> str:
    if cell is None:
        return MISSING
    if cell.state != "ok":
        return {"failed": "✗", "running": "…"}.get(cell.state, "∅")
    write = cell_text if style.interval else value_text
    return write(cell, column, style.decimals) + ("*" if cell.errors or cell.skipped else "")


def _headings(columns: Sequence[Column]) -> list[str]:
    """Task names without the folder that all share, broken at dashes and slashes so that columns stay
    narrow."""
    names = [column.name for column in columns]
    folders = {name.rpartition("/")[0] for name in names}
    cut = len(folders.pop()) + 1 if len(folders) == 1 and "/" in names[0] else 0
    return [
        name[cut:].replace("-", "-\n").replace("/", "/\n").replace("_", "_\n").replace(" · ", "\n")
        for name in names
    ]


def _numbered(headings: Sequence[str]) -> str:
    names = [heading.replace("\n", "") for heading in headings]
    return "tasks: " + ", ".join(f"{number + 1} {name}" for number, name in enumerate(names))


def _legend(board: Board) -> Iterable[str]:
    level, tasks = f"{board.level:.0%}", len(board.counting)
    target = "new samples of the same kind" if board.decided is None else "this bank of samples"
    if tasks:
        yield (
            f"mean: over {tasks} {'task' if tasks == 1 else 'tasks'}, in %; 0 is guessing, 100 perfect. "
            f"±: half of the {level} interval for {target}."
        )
    if board.decided:
        yield from _decided(board, board.decided)
    elif board.family:
        correction = "Holm" if board.rules.ranks == "holm" else "max-T"
        yield (
            f"rank: all intervals hold at once with {level} "
            f"(paired tests on shared samples, {correction} over {board.family:,} hypotheses)."
        )
    if board.winner:
        yield _winner(board.winner, level)
    excluded = [
        f"{column.name} ({EXCLUSIONS[column.excluded]})" for column in board.columns if not column.counts
    ]
    if excluded:
        yield f"not in the mean: {', '.join(excluded)}"
    if any(not entry.complete for entry in board.entries) and tasks:
        yield _unranked(tasks)
    if board.left_out:
        runs = counted(board.left_out, "finished run")
        yield f"{runs} left out: others stand for the same cells."


def _decided(board: Board, decided: Decided) -> Iterable[str]:
    """After how many samples the ranking was decided, and what that means."""
    samples = f"after {decided.asked:,} of {counted(decided.items, 'sample')}"
    delta = f"{decided.delta:g} {'point' if decided.delta == 1 else 'points'}"
    level = f"{decided.level:.0%}"
    if decided.open:
        pairs = counted(decided.pairs, "pair")
        yield f"not decided {samples}: {decided.open:,} of {pairs} are neither in order nor within {delta}."
    else:
        tied = f", {counted(decided.tied, 'pair')} by a tie" if decided.tied else ""
        yield (
            f"decided {samples}: every two entries are in order or within {delta} of each other{tied}. "
            f"{decided.answers:,} of {decided.items * len(board.entries):,} answers were asked for."
        )
    yield (
        f"rank: all intervals hold at once with {level}, at whatever sample one looks or stops "
        f"(bets on paired differences, Holm over {board.family:,} hypotheses; order of seed {decided.order_seed}, "
        f"sha256 {decided.order_sha256[:12]})."
    )
    stops = [f"{entry.name} {entry.n:,}" for entry in board.entries if entry.rank is not None]
    yield f"samples asked: {', '.join(stops[:MOST_NOTES])}{', …' if len(stops) > MOST_NOTES else ''}."


def _winner(winner: Winner, level: str) -> str:
    """What is known of the first place: its mean without the luck of having been picked, and how firm it is."""
    picked = f"first: {winner.entry}. As the best of {winner.candidates} its {level} interval is "
    interval = f"{percent(winner.low)} to {percent(winner.high)}"
    if winner.items is None:
        return f"{picked}{interval}."
    samples = f"{'' if winner.exact else 'at most '}{counted(winner.items, 'chosen sample')}"
    return f"{picked}{interval}; without {samples} {winner.challenger} would be ahead."


def _about(further: Sequence[AspectColumn]) -> Iterable[str]:
    if further:
        arrows = ", ".join(dict.fromkeys(f"{c.metric} {'↑' if c.higher_is_better else '↓'}" for c in further))
        yield f"further metrics (↑ higher, ↓ lower is better; no part of mean or rank): {arrows}"


def _unranked(tasks: int) -> str:
    if tasks == 1:
        return "–: no score on the task that makes up the mean, so not ranked."
    return f"(mean): of fewer than {tasks} tasks, so not ranked."


def _hidden(columns: int, what: str) -> Iterable[str]:
    if columns:
        some = f"{columns} more {what} does" if columns == 1 else f"{columns} more {what}s do"
        yield f"{some} not fit here: --json has all, so has the site."


def _notes(board: Board) -> Iterable[str]:
    """What failed or is missing, with the reason."""
    notes = [note for entry in board.entries for note in _notes_of(entry)]
    yield from notes[:MOST_NOTES]
    if len(notes) > MOST_NOTES:
        yield f"… and {len(notes) - MOST_NOTES} more"


def _notes_of(entry: Entry) -> Iterable[str]:
    for cell in entry.cells.values():
        where = f"{entry.name} on {cell.task}"
        if cell.errors or cell.skipped:
            errors = counted(cell.errors, "answer")
            yield f"* {where}: {errors} in error, {cell.skipped} skipped; none of them scored"
        if cell.overlap:
            yield f"* {where}: {cell.overlap}"
        if cell.reason:
            sign = {"failed": "✗", "running": "…", "ok": "*"}.get(cell.state, "∅")
            yield f"{sign} {where}: {cell.reason.splitlines()[0]}"


def _p(value: float | None) -> str:
    return MISSING if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _difference(row: Difference) -> list[Text]:
    write = percent if row.share else number
    half = half_width(row.low, row.high)
    signed = (
        MISSING if row.difference is None else f"{'+' if row.difference > 0 else ''}{write(row.difference)}"
    )
    interval = MISSING if half is None else f"{write(row.low)} … {write(row.high)}"
    counts = [MISSING if count is None else str(count) for count in (row.wins, row.losses)]
    texts = [
        row.task,
        write(row.first),
        write(row.second),
        signed,
        interval,
        _p(row.p),
        _p(row.p_holm),
        *counts,
        str(row.n),
    ]
    return [Text(text) for text in texts]
