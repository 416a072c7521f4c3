"""`tianti task new|check|export`: tasks of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tianti.cli.options import JsonOption

app = typer.Typer(help="Make, check and export tasks of your own.", no_args_is_help=True)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the new task.")],
    kind: Annotated[
        str,
        typer.Option("--kind", help="A kind of task: classification, multiple-choice, translation, …"),
    ] = "classification",
    folder: Annotated[Path, typer.Option("--dir", help="Where the files are written.")] = Path(),
) -> None:
    """Write a commented task file with a small data file, ready to be changed."""
    from tianti.tasks.new import new_task

    path = new_task(name, folder, kind)
    typer.echo(
        f"written: {path}\nnext: `tianti task check {path}`, then `tianti run nano:llama --task {path}`"
    )


@app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A task file, or the name of a task.")],
    model: Annotated[
        str | None,
        typer.Option("--model", help="Count lengths in this model's tokens instead of characters only."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show three rendered prompts, label balance, lengths, duplicates and train/test overlap."""
    from rich.console import Console

    from tianti.cli.checks import print_check
    from tianti.tasks.check import check_task

    checked = check_task(file, _token_counter(model) if model else None)
    if as_json:
        typer.echo(json.dumps(asdict(checked), ensure_ascii=False, indent=2))
    else:
        print_check(checked, Console())


@app.command()
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A task file, or the name of a task.")],
    harness: Annotated[
        bool, typer.Option("--harness", help="As lm-eval YAML and data (the only form so far).")
    ] = True,
    folder: Annotated[Path, typer.Option("--dir", help="Where the files are written.")] = Path(
        "harness-tasks"
    ),
) -> None:
    """Write a text-to-text task so that lm-evaluation-harness runs it and gets the same numbers."""
    from tianti.tasks import load_tasks
    from tianti.tasks.export import export_harness

    for task in load_tasks(name):
        path = export_harness(task, folder)
        typer.echo(
            f"written: {path}\nrun it: `lm_eval --model hf --tasks {path.stem} --include_path {folder} …`"
        )


def _token_counter(reference: str) -> Callable[[list[str]], list[int]]:
    from transformers import AutoTokenizer

    from tianti.core.exceptions import ModelError
    from tianti.models import open_model

    model = open_model(reference)
    if model.path is None:
        raise ModelError(f"{reference} has no tokenizer to count with", remedy="name a model with weights")
    tokenizer = AutoTokenizer.from_pretrained(model.path)
    return lambda texts: [len(ids) for ids in tokenizer(texts)["input_ids"]]
