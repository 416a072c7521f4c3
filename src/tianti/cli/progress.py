"""Progress bars on the terminal, by rich; a plain line now and then where the output is not a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from tianti.core.progress import Meter

EVERY = 30.0
"""Seconds between two lines: a log stays short, and who reads it sees that something happens."""


class _BarMeter:
    def __init__(self, bars: Bars, bar: TaskID, then: Callable[[], None]) -> None:
        self._bars, self._bar, self._then = bars, bar, then

    def advance(self, steps: int = 1, note: str = "") -> None:
        self._bars.update(self._bar, advance=steps, note=note)
        self._then()


class TerminalProgress:
    """Nested bars on standard error; the inner ones vanish when they are done.

    Where standard error is a file or a pipe, a line every `EVERY` seconds says how far each of them is.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console or Console(stderr=True)
        self._clock, self._told = clock, clock()
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=self.console,
            transient=True,
            # Elsewhere rich shows no bars, but leaves an empty line for each that ends.
            disable=not self.console.is_interactive,
        )
        self._open = 0

    @contextmanager
    def meter(self, title: str, total: int | None) -> Iterator[Meter]:
        if self._open == 0:
            self._bars.start()
        self._open += 1
        bar = self._bars.add_task(title, total=total, note="")
        try:
            yield _BarMeter(self._bars, bar, self._tell)
        finally:
            self._bars.remove_task(bar)
            self._open -= 1
            if self._open == 0:
                self._bars.stop()

    def _tell(self) -> None:
        if self.console.is_interactive or self._clock() - self._told < EVERY:
            return
        self._told = self._clock()
        line = "… " + " · ".join(map(_how_far, self._bars.tasks))
        self.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, emoji=False, highlight=False)


def _how_far(bar: Task) -> str:
    of = "" if bar.total is None else f" of {bar.total:,.0f}"
    note = bar.fields["note"]
    return f"{bar.description} {bar.completed:,.0f}{of}{f' ({note})' if note else ''}"
