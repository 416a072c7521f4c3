"""Bars on a terminal, and nothing of them where the output is a pipe or a file."""

from __future__ import annotations

import io

from rich.console import Console

from tianti.cli.progress import TerminalProgress


def _shown(console: Console) -> str:
    progress = TerminalProgress(console)
    for title in ("first", "second"):
        with progress.meter(title, 2) as outer, progress.meter("inner", None) as inner:
            inner.advance(note="loss 0.5")
            outer.advance()
        progress.say(f"{title} done")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_pipe_gets_the_lines_that_stay_and_no_others() -> None:
    assert _shown(Console(file=io.StringIO())) == "first done\nsecond done\n"


def test_a_terminal_sees_the_bars() -> None:
    shown = _shown(Console(file=io.StringIO(), force_terminal=True, width=120))
    assert "first" in shown
    assert "inner" in shown
    assert "second done" in shown


def test_a_log_hears_now_and_then_how_far_it_is() -> None:
    now = [0.0]
    progress = TerminalProgress(Console(file=io.StringIO(), width=40), clock=lambda: now[0])
    with progress.meter("trials [a]", 36) as outer, progress.meter("training", None) as inner:
        outer.advance()
        for second in range(0, 90, 5):
            now[0] = second
            inner.advance(5, note="loss 0.5")
    assert isinstance(progress.console.file, io.StringIO)
    assert progress.console.file.getvalue().splitlines() == [
        "… trials [a] 1 of 36 · training 35 (loss 0.5)",
        "… trials [a] 1 of 36 · training 65 (loss 0.5)",
    ]
