"""`tianti tasks list|show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tianti.cli.options import JsonOption

app = typer.Typer(
    help="The tasks that come with tianti, and those of lm-evaluation-harness.", no_args_is_help=True
)


@app.command("list")
def list_(
    harness: Annotated[
        str | None, typer.Option("--harness", help="Also lm-eval's tasks whose names contain this.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the tasks of the library; with --harness WORD also those of lm-evaluation-harness."""
    from tianti.cli.tables import print_rows
    from tianti.tasks import list_tasks

    rows = [(info.name, info.kind, info.language, info.description) for info in list_tasks()]
    if harness is not None:
        from tianti.tasks.harness import list_harness

        rows += [(f"harness:{name}", f"harness {kind}", "", "") for name, kind in list_harness(harness)]
    print_rows(("task", "kind", "language", "what it asks"), rows, as_json=as_json)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A task of the library, a YAML file, or harness:NAME.")
    ],
    include: Annotated[
        list[Path] | None, typer.Option("--include", help="A folder with lm-eval YAML files of your own.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a task's facts, metrics and its first question."""
    from dataclasses import asdict

    from tianti.cli.tables import print_facts
    from tianti.engine import ChooseRequest, GenerateRequest, RollingRequest, ScoreRequest
    from tianti.tasks import load_tasks
    from tianti.tasks.task import Shots

    kinds = frozenset({ScoreRequest, RollingRequest, GenerateRequest, ChooseRequest})
    shown = []
    for task in load_tasks(name, include or ()):
        question = next(iter(task.questions(Shots(), kinds, 1)))
        shown.append(
            asdict(task.info)
            | {
                "fingerprint": task.fingerprint,
                "samples": task.count(),
                "training examples": len(task.examples("train")),
                "metrics": [metric.name for metric in task.metrics],
                "first question": {"prompt": question.prompt, "target": question.target},
            }
        )
    for facts in shown:
        print_facts(facts, as_json=as_json)
