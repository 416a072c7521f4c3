"""`tianti rank [FILE]`: an order by any aggregate, from a store or from a file of scores per item."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tianti.cli.board import Correction
from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption, StudyOption


class By(StrEnum):
    """What the entries are ordered by."""

    mean = "mean"
    common = "common"
    borda = "borda"
    win_rate = "win-rate"
    latent = "latent"


def rank(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Scores, one a row: CSV, TSV, JSONL or Parquet. By default the store's."
        ),
    ] = None,
    by: Annotated[By, typer.Option("--by", help="The number that ranks.")] = By.mean,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", metavar="TASK=N", help="The weight of a task, else 1. May be repeated."),
    ] = None,
    chance: Annotated[
        list[str] | None,
        typer.Option("--chance", metavar="TASK=P", help="What guessing scores there. May be repeated."),
    ] = None,
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.9999, help="Of all intervals.")] = 0.95,
    ranks: Annotated[
        Correction | None,
        typer.Option("--ranks", help="How ranks by mean or common allow for many comparisons; else holm."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything drawn at random.")] = 0,
    stability: Annotated[
        bool, typer.Option("--stability", help="Show how far the order depends on aggregate and weights.")
    ] = False,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Print only the first so many.")] = None,
    items_to: Annotated[
        Path | None,
        typer.Option("--items-to", metavar="FILE", help="Write the scores per item there too."),
    ] = None,
    entry_column: Annotated[
        str | None, typer.Option("--entry-column", help="Else entry, model or system.")
    ] = None,
    task_column: Annotated[
        str | None, typer.Option("--task-column", help="Else task, dataset or benchmark.")
    ] = None,
    item_column: Annotated[
        str | None, typer.Option("--item-column", help="Else item, item_id, question_id, sample_id or id.")
    ] = None,
    score_column: Annotated[
        str | None, typer.Option("--score-column", help="Else score, value, correct or acc; from 0 to 1.")
    ] = None,
    cluster_column: Annotated[
        str | None, typer.Option("--cluster-column", help="Items that depend on each other; else cluster.")
    ] = None,
    repeat_column: Annotated[
        str | None, typer.Option("--repeat-column", help="The number of an answer; else repeat.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank by mean, common subset, Borda, win rate or a latent index; show how stable the order is."""
    from rich.console import Console

    from tianti.api import rank_items
    from tianti.board.item_scores.terminal import render
    from tianti.core.exceptions import InputError

    if file is not None and study is not None:
        raise InputError("--study with a FILE: a file has no studies", remedy="give one of them")
    columns = {
        "entry": entry_column, "task": task_column, "item": item_column, "score": score_column,
        "cluster": cluster_column, "repeat": repeat_column,
    }  # fmt: skip
    found = rank_items(
        file, by=by.value, weights=_numbers(weights, "--weights"), chances=_numbers(chance, "--chance"),
        level=level, ranks=None if ranks is None else ranks.value, seed=seed,
        columns={role: name for role, name in columns.items() if name is not None},
        store=store, study=study, items_to=items_to,
    )  # fmt: skip
    if items_to is not None:
        typer.echo(f"scores per item: {items_to}", err=True)
    if as_json:
        typer.echo(found.to_json())
    else:
        Console().print(render(found, stability=stability, top=top))


def _numbers(given: list[str] | None, option: str) -> dict[str, float]:
    """TASK=N, by task; the last = divides them, for a name may have one."""
    from tianti.core.exceptions import InputError

    found: dict[str, float] = {}
    for text in given or ():
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            name = ""
        if not name:
            raise InputError(f"{option} {text}: expected TASK=NUMBER", remedy=f"such as {option} mmlu=0.25")
        if name in found:
            raise InputError(f"{option} gives {name} twice", remedy="give each task once")
        found[name] = value
    return found
