"""Progress bars on the terminal, by rich; plain lines where the output is not a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from tianti.core.progress import Meter


class _BarMeter:
    def __init__(self, bars: Bars, bar: TaskID) -> None:
        self._bars, self._bar = bars, bar

    def advance(self, steps: int = 1, note: str = "") -> None:
        self._bars.update(self._bar, advance=steps, note=note)


class TerminalProgress:
    """Nested bars on standard error; the inner ones vanish when they are done."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
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
            yield _BarMeter(self._bars, bar)
        finally:
            self._bars.remove_task(bar)
            self._open -= 1
            if self._open == 0:
                self._bars.stop()

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, emoji=False, highlight=False)
