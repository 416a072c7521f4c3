"""Streams of tasks for the terminal: a row for each strategy, and the matrix behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.board.show import MISSING, interval_text, percent, size_text
from tianti.board.streams import DEFINITIONS, Stream

KEPT = {
    "average": "average",
    "backward": "backward",
    "forgetting_first": "forgets\n(first)",
    "forgetting_best": "forgets\n(best)",
    "less_forgotten": "less than\nplain",
}
"""The figures of what is kept, with their headings."""
GAINED = {"learning": "learning", "forward": "forward"}
"""The figures of what is learned."""
UNSIGNED = ("average", "learning")
"""Figures that are scores; the others are differences."""
NAME_WIDTH = 34


def render_streams(found: Sequence[Stream], *, matrix: bool = False) -> RenderableType:
    """A table of the strategies of each model, or with `matrix` the scores of every task after every stage."""
    if not found:
        return Text("No stream here: run a study with the key stream.")
    if matrix:
        parts: list[RenderableType] = []
        for stream in found:
            parts += [_matrix(stream), *_why(stream), ""]
        return Group(*parts)
    figures = KEPT | GAINED
    lines = [f"{heading.replace(chr(10), ' ')}: {DEFINITIONS[name]}" for name, heading in figures.items()]
    lines.append(
        "Percentage points ± half the interval for new items, paired over stages; seconds are per seed."
    )
    lines.append(f"memory: {DEFINITIONS['added_memory_bytes']}.")
    missing = sum(stream.missing for stream in found)
    if missing:
        lines.append(f"{missing} cells have no finished run: figures that need them are left out.")
    lines += [line.plain for stream in found for line in _why(stream)]
    if any(stream.average is None and not stream.missing for stream in found):
        lines.append("A task whose metric is no mean over samples has no such figures: see --matrix.")
    tables: list[RenderableType] = []
    for tasks in dict.fromkeys(stream.tasks for stream in found):
        of_tasks = [stream for stream in found if stream.tasks == tasks]
        tables += [
            Text(f"stream: {' → '.join(tasks)}", style="bold"),
            _kept(of_tasks),
            "",
            _gained(of_tasks),
            *map(Text, _routed(of_tasks)),
            "",
        ]
    return Group(*tables, *(Text(line, style="dim") for line in lines))


def _kept(found: Sequence[Stream]) -> Table:
    table = _table([*KEPT.values()])
    for stream in found:
        table.add_row(*map(Text, (_name(stream), *_figures(stream, KEPT))))
    return table


def _gained(found: Sequence[Stream]) -> Table:
    table = _table([*GAINED.values(), "seconds", "memory\nMB", "kept\nMB"])
    for stream in found:
        costs = (size_text(stream.added_memory_bytes), size_text(stream.kept_bytes))
        seconds = MISSING if stream.training_seconds is None else f"{stream.training_seconds:,.1f}"
        table.add_row(*map(Text, (_name(stream), *_figures(stream, GAINED), seconds, *costs)))
    return table


def _routed(found: Sequence[Stream]) -> Iterable[str]:
    """A line for each strategy that tells tasks apart: its scores are of tasks that are known."""
    for stream in found:
        if stream.router_accuracy is not None:
            yield (
                f"{_name(stream)}: its router sends {percent(stream.router_accuracy)} % of held-out examples to their "
                "own task (mean over tasks). Scores are of the known task; none were taken with the router's choice."
            )


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("model · method · strategy", overflow="fold", max_width=NAME_WIDTH)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _name(stream: Stream) -> str:
    return f"{stream.model} · {stream.method} · {stream.strategy}"


def _why(stream: Stream) -> Iterable[Text]:
    """Why cells of a stream have no finished run."""
    for reason in stream.reasons:
        yield Text(f"✗ {_name(stream)}: {reason.splitlines()[0]}", style="dim")


def _figures(stream: Stream, names: Iterable[str]) -> list[str]:
    return [interval_text(getattr(stream, name), signed=name not in UNSIGNED) for name in names]


def _matrix(stream: Stream) -> Table:
    title = f"{stream.model} · {stream.method} · {stream.strategy}: score in per cent after each stage"
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    table.add_column("after learning")
    for task in stream.tasks:
        table.add_column(Text(task), justify="right", overflow="fold")
    for stage, row in enumerate(stream.matrix):
        taught = "all tasks" if stream.at_once else f"{stage}: {stream.tasks[stage - 1]}"
        learned = taught if stage else "nothing"
        if any(value is not None for value in row):
            table.add_row(Text(learned), *(percent(value) for value in row))
    return table
