"""`tianti battles FILE`: ratings from votes on pairs of answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tianti.cli.options import JsonOption


def battles(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Votes, one a row: CSV, TSV, JSONL or Parquet.")
    ],
    left: Annotated[
        str | None, typer.Option("--left", help="The column of the first model; else model_a, left or first.")
    ] = None,
    right: Annotated[
        str | None,
        typer.Option("--right", help="The column of the second model; else model_b, right or second."),
    ] = None,
    winner: Annotated[
        str | None, typer.Option("--winner", help="The column of the winner; else winner.")
    ] = None,
    voter: Annotated[
        str | None,
        typer.Option(
            "--voter", help="The column to cluster by; else voter, worker, judge or user. none: by nobody."
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="Cluster by this column too: votes on one prompt agree.")
    ] = None,
    ties: Annotated[
        str, typer.Option("--ties", help="davidson (modelled), half (half a win for each) or drop.")
    ] = "davidson",
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style", metavar="COLUMN_A:COLUMN_B", help="Rate at equal length (or so). May be repeated."
        ),
    ] = None,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="The model that is 1000; else their mean is.")
    ] = None,
    prior: Annotated[
        float, typer.Option("--prior", help="So many imagined wins each way per pair of models.")
    ] = 0.0,
    level: Annotated[float, typer.Option("--level", help="Of intervals and ranks.")] = 0.95,
    limit_to: Annotated[
        list[str] | None,
        typer.Option("--limit-to", help="Only battles among these models. May be repeated."),
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", help="No battles of this model. May be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rate models by votes on pairs of answers: ratings and ranks with intervals."""
    from rich.console import Console

    from tianti.api import rate_battles
    from tianti.board.battles.terminal import render

    ties_treatment: Any = ties
    found = rate_battles(
        file, left=left, right=right, winner=winner, voter=voter, prompt=prompt,
        ties=ties_treatment, style=style or (), anchor=anchor, prior=prior, level=level,
        limit_to=limit_to or (), leave_out=leave_out or (),
    )  # fmt: skip
    if as_json:
        typer.echo(found.to_json())
    else:
        Console().print(render(found))
