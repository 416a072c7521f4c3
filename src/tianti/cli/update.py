"""`tianti update ENTRY`: a deployed row learns new data, and is promoted only if it keeps its old tasks."""

from __future__ import annotations

import json
import shlex
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from tianti.deployment import Lesson
    from tianti.store import Store
    from tianti.study import Trial


REFUSED = 3
"""The exit status of an update that was not promoted; an error has 1, as everywhere."""


class By(StrEnum):
    """What of a fall must lie within the margin."""

    estimate = "estimate"
    bound = "bound"


def update(
    entry: Annotated[
        str,
        typer.Argument(metavar="ENTRY", help="An entry of the board ('nano:llama · lora'), or its id."),
    ],
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="Labelled examples to learn: new.jsonl.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task", "-t", help="The task they are of: one of the entry's, or a new one: task.yaml."
        ),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy", "-s", help="How it learns on: separate, replay, joint, ewc(strength=100), …"
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="What trains an entry that trains nothing itself: lora.")
    ] = None,
    margin: Annotated[float, typer.Option("--margin", help="Points by which a task may fall.")] = 2.0,
    by: Annotated[
        By,
        typer.Option("--by", help="The fall as measured (estimate), or its whole interval (bound)."),
    ] = By.estimate,
    must_learn: Annotated[
        bool, typer.Option("--must-learn", help="Refuse, too, what is not shown to have learned the data.")
    ] = False,
    allow_overlap: Annotated[
        bool,
        typer.Option("--allow-overlap", help="Learn test samples of the entry's tasks, too; it is told."),
    ] = False,
    versions: Annotated[
        bool, typer.Option("--versions", help="List the versions of the entry; do nothing.")
    ] = False,
    restore: Annotated[
        int | None, typer.Option("--restore", help="Make this version current again; learn nothing.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be learned and asked; do nothing.")
    ] = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Let an entry learn new data; the new version becomes current if no old task falls by more than the margin.

    Exit status: 0 promoted, or learned already; 3 refused, the old version stays; 1 an error, 2 an unknown option.
    """
    from tianti.cli.progress import TerminalProgress
    from tianti.cli.versions import print_restored, print_update, print_versions
    from tianti.core.exceptions import InputError
    from tianti.deployment import Lesson, Rules, learn_on, restore_version, versions_of
    from tianti.store import open_store

    if (versions or restore is not None) and (data or task or dry_run or (versions and restore is not None)):
        raise InputError(
            "--versions lists and --restore goes back: neither goes together with what is to be learned",
            remedy="give one of them alone",
        )
    with open_store(store) as opened:
        if versions:
            print_versions(versions_of(opened, entry), as_json=as_json)
            return
        if restore is not None:
            print_restored(restore_version(opened, entry, restore), as_json=as_json)
            return
        rules = Rules(margin, by.value, must_learn)
        lesson = Lesson(entry, data, task, strategy, method, rules, allow_overlap, device)
        if dry_run:
            _print_plan(opened, lesson, as_json=as_json)
            return
        found = learn_on(opened, lesson, TerminalProgress())
    again = f"tianti update {shlex.quote(found.before.name)}"
    where = "" if store == DEFAULT_STORE else f" --store {shlex.quote(str(store))}"
    print_update(found, lesson.rules, again, where, as_json=as_json)
    if not found.promoted:
        raise typer.Exit(REFUSED)


def _print_plan(store: Store, lesson: Lesson, *, as_json: bool) -> None:
    from dataclasses import asdict, replace

    from tianti.cli.plan import refusals
    from tianti.cli.tables import print_rows
    from tianti.deployment import plan_update
    from tianti.estimate import estimate

    with tempfile.TemporaryDirectory() as folder:
        planned = plan_update(store, lesson, Path(folder))
        plan = planned.plan
        done: list[Trial] = []
        waiting: list[Trial] = []
        for trial in (*plan.trials, *plan.before):
            (done if _finished(store, trial) else waiting).append(trial)
        # What the update learns lies in a temporary folder meanwhile: the user knows it by the name of the file.
        shown = planned.new.reference if lesson.data is None else str(lesson.data)
        estimates = [
            replace(line, trial=line.trial.replace(planned.new.reference, shown))
            for line in estimate(waiting, [*plan.standing, *done])
        ]
        kept = [old.served.task for old, trials in plan.old if not trials]
    if as_json:
        facts = {"version": planned.before.number, "strategy": plan.strategy, "kept_as_they_are": kept}
        facts |= {"trials": [asdict(line) for line in estimates]}
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    rows = [
        ("refused", "–", str(line.samples), line.trial)
        if line.refused
        else (f"{line.seconds:,.1f}", f"{line.training_tokens:,}", str(line.samples), line.trial)
        for line in estimates
    ]
    print_rows(("about seconds", "training tokens", "samples", "trial"), rows, as_json=False)
    for text in refusals({line.trial: [line] for line in estimates}):
        typer.echo(text)
    if any(line.refused for line in estimates):
        typer.echo(
            f"version {planned.before.number} of {planned.before.name} cannot learn it so. Nothing was done."
        )
        raise typer.Exit(1)
    for task in kept:
        typer.echo(f"{task}: its model stays as it is")
    typer.echo(
        f"version {planned.before.number} of {planned.before.name} would learn {planned.new.task.info.name} "
        f"({planned.new.examples} examples) by {plan.strategy}. Nothing was done."
    )


def _finished(store: Store, trial: Trial) -> bool:
    run = store.find_run(trial.id)
    return run is not None and run.state == "finished"
