"""`tianti contamination`: by how many points a score may be lifted by test items that were seen before."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption


class Method(StrEnum):
    """How contamination is looked for."""

    overlap = "overlap"
    fresh = "fresh"
    order = "order"


def contamination(
    entry: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY | MODEL", help="An entry of the board ('nano:llama · lora'), or a model."
        ),
    ],
    task: Annotated[list[str], typer.Option("--task", "-t", help="A task. May be repeated.")],
    adapt: Annotated[
        list[str] | None, typer.Option("--adapt", "-a", help="An adaptation of MODEL. May be repeated.")
    ] = None,
    seed: Annotated[list[int] | None, typer.Option("--seed", help="A seed. May be repeated.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-l", help="At most so many samples of each task.")
    ] = None,
    method: Annotated[
        list[Method] | None, typer.Option("--method", "-m", help="Only this method. May be repeated.")
    ] = None,
    fresh_seed: Annotated[
        int | None,
        typer.Option("--fresh-seed", help="Draw the fresh samples of generated tasks from this seed."),
    ] = None,
    include: Annotated[
        list[Path] | None, typer.Option("--include", help="A folder with lm-eval YAML files of your own.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Say what each method knows of an entry's contamination on a task, in points with a lower bound."""
    from dataclasses import asdict

    from tianti.cli.progress import TerminalProgress
    from tianti.cli.tables import print_rows
    from tianti.contamination import METHODS, check_contamination, study_of_entry
    from tianti.store import Store

    with Store(store) as opened:
        study = study_of_entry(
            opened,
            entry,
            tasks=task,
            adaptations=adapt,
            seeds=seed,
            limit=limit,
            include=include,
            device=device,
        )
        chosen = [each for each in METHODS if not method or each in method]
        found = check_contamination(study, opened, TerminalProgress(), chosen, fresh_seed)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
        return
    rows = [
        (each.entry, each.task, each.method, each.says if each.applies else f"– {each.says}")
        for each in found
    ]
    print_rows(("entry", "task", "method", "what it says"), rows, as_json=False)
