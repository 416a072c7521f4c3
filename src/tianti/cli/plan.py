"""What `tianti run --dry-run` prints: what each row of a study would take, and what would be refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from tianti.adapt import Continual, label
from tianti.core.wording import counted
from tianti.tasks.labels import numbered_labels

if TYPE_CHECKING:
    from rich.console import Console

    from tianti.estimate import Estimate
    from tianti.study import Trial

HEADINGS = ("trials", "samples", "tokens\nto read", "training\ntokens", "about\nseconds")

NOTHING_ADDED = ("plain", "joint", "separate")
"""Strategies that train on the examples of the tasks and do no more."""


def print_plan(trials: Sequence[Trial], console: Console, *, as_json: bool) -> bool:
    """Print what the trials would take; True unless all that they are about would be refused."""
    from tianti.estimate import estimate
    from tianti.study import nothing_fits

    estimates = estimate(trials)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in estimates], ensure_ascii=False, indent=2))
    else:
        rows: dict[str, list[Estimate]] = {}
        for trial, line in zip(trials, estimates, strict=True):
            rows.setdefault(_row(trial), []).append(line)
        console.print(*_streams(trials), _table(rows), sep="\n")
        for text in (*_told(trials), *refusals(rows), _sum(estimates)):
            console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)
    return not nothing_fits([(t, bool(line.refused)) for t, line in zip(trials, estimates, strict=True)])


def _row(trial: Trial) -> str:
    """The cells of a stream stand together: there are as many of each as stages times tasks times seeds."""
    learned = trial.adaptation
    if not isinstance(learned, Continual):
        return trial.title
    by = f"{label(learned.learner)} · {learned.strategy}" if learned.at else "before it learns"
    return f"{trial.model.name} · {by}"


def _streams(trials: Sequence[Trial]) -> Iterable[Text]:
    """The tasks of each stream, in order."""
    streams = dict.fromkeys(
        tuple(task.info.name for task in trial.adaptation.tasks)
        for trial in trials
        if isinstance(trial.adaptation, Continual)
    )
    for tasks in streams:
        yield Text(f"stream: {' → '.join(tasks)}\neach task is asked after every stage", style="bold")


def _told(trials: Sequence[Trial]) -> Iterable[str]:
    """How the labels of each task are read, where that could be meant otherwise; what the figures leave out."""
    for task in {trial.task.fingerprint: trial.task for trial in trials}.values():
        if numbered := numbered_labels(task):
            yield f"{task.info.name}: {numbered}"
    streams = [trial.adaptation for trial in trials if isinstance(trial.adaptation, Continual)]
    if any(stream.policy.name not in NOTHING_ADDED for stream in streams):
        yield "not counted: what strategies add to training (replayed or written samples,"
        yield "Fisher information, the answers of an earlier network)"


def _table(rows: dict[str, list[Estimate]]) -> Table:
    alone = all(len(lines) == 1 for lines in rows.values())
    table = Table(box=None, header_style="bold")
    table.add_column("trial" if alone else "row", overflow="fold")
    for heading in HEADINGS[alone:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row, lines in rows.items():
        fitting = [line for line in lines if not line.refused]
        figures = (
            f"{len(lines):,}",
            f"{sum(line.samples for line in fitting):,}",
            f"{sum(line.tokens for line in fitting):,}",
            f"{sum(line.training_tokens for line in fitting):,}",
            f"{sum(line.seconds for line in fitting):,.1f}",
        )
        shown = figures if fitting else (figures[0], "–", "–", "–", "refused")
        table.add_row(Text(row), *shown[alone:])
    return table


def refusals(rows: Mapping[str, Sequence[Estimate]]) -> Iterable[str]:
    """A line for each reason, with the rows that it is against."""
    against: dict[str, list[str]] = {}
    for row, lines in rows.items():
        for line in lines:
            if line.refused:
                against.setdefault(line.refused, []).append(row)
    for reason, refused in against.items():
        named = ", ".join(dict.fromkeys(refused))
        yield f"would be refused ({counted(len(refused), 'trial')}): {named}: {reason}"


def _sum(estimates: Sequence[Estimate]) -> str:
    seconds = sum(line.seconds for line in estimates)
    refused = sum(bool(line.refused) for line in estimates)
    return (
        f"{counted(len(estimates), 'trial')}{f', of which {refused:,} would be refused' if refused else ''}, about "
        f"{seconds:,.0f} s on this machine (a rough figure: from the model's size, the tokens and the speed of one "
        "matrix product). Nothing was run."
    )
