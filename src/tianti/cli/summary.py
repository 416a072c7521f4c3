"""What is said of a study when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from tianti.conductor import Outcome


def print_summary(outcomes: Sequence[Outcome], console: Console) -> None:
    """How many trials were measured now, found from before, or not measured and why."""
    count = Counter(outcome.state for outcome in outcomes)
    trials = "1 trial" if len(outcomes) == 1 else f"{len(outcomes)} trials"
    if count["found"] == len(outcomes):
        _say(console, f"{trials}, finished before: nothing to do.")
    else:
        _say(console, f"{trials}: {count['measured']} measured, {count['found']} found finished.")
    for outcome in outcomes:
        if outcome.state in ("refused", "failed"):
            _say(console, f"not measured ({outcome.state}): {outcome.trial.title}: {outcome.reason}")


def print_next(outcomes: Sequence[Outcome], console: Console, store: Path) -> None:
    """The commands that look closer."""
    runs = [outcome.run.run_id for outcome in outcomes if outcome.state in ("found", "measured")]
    where = "" if store == Path("tianti-store") else f" --store {store}"
    if runs:
        _say(console, f"Look closer: tianti show {runs[-1]}{where}")
        _say(console, f"As a site:   tianti export DIR{where}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
