"""What `tianti task check` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

if TYPE_CHECKING:
    from tianti.tasks.check import Lengths, SplitCheck, TaskCheck


def print_check(check: TaskCheck, console: Console) -> None:
    """The rendered prompts, a row per split, and the warnings."""
    console.print(
        f"{check.info.name} ({check.info.kind}, {check.info.language})",
        style="bold",
        markup=False,
        emoji=False,
    )
    for prompt in check.prompts:
        shown = f"{prompt.prompt}⟦{prompt.answer}⟧"
        if prompt.choices:
            shown += "\n\nchoices: " + " | ".join(prompt.choices)
        console.print(Panel.fit(_plain(shown), title=_plain(prompt.sample_id), title_align="left"))
    console.print("The right answer stands in ⟦ ⟧.", style="dim")
    table = Table(
        "split", "samples", "labels", "characters", "tokens", "duplicates", "also in train", box=None
    )
    for split in check.splits:
        table.add_row(*_row(split))
    console.print(table)
    for warning in check.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False, emoji=False)
    if not check.warnings:
        console.print("No warnings.", style="green")


def _row(split: SplitCheck) -> list[str]:
    return [
        split.split,
        str(split.samples),
        ", ".join(f"{label}: {count}" for label, count in split.labels.items()) or "–",
        _lengths(split.characters),
        _lengths(split.tokens) if split.tokens else "–",
        str(split.duplicates),
        str(split.overlap),
    ]


def _lengths(lengths: Lengths) -> str:
    return f"{lengths.minimum}–{lengths.maximum}, median {lengths.median:g}"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
