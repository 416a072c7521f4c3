"""`tianti place MODEL`: the rank of one new entry on a finished board, by as few samples as it takes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption, StudyOption


def place(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model: nano:llama, ./folder, org/name.")],
    adapt: Annotated[
        str, typer.Option("--adapt", "-a", help="The adaptation: zero-shot, few-shot(k=4), lora(r=8), …")
    ] = "zero-shot",
    seed: Annotated[
        list[int] | None, typer.Option("--seed", help="A seed. May be repeated; 0 by default.")
    ] = None,
    delta: Annotated[float, typer.Option("--delta", help="Points that tied entries may be apart.")] = 2.0,
    order_seed: Annotated[int, typer.Option("--order-seed", help="The seed of the order of asking.")] = 0,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place a new entry on a finished board: ask it samples until its rank among the others is settled."""
    from rich.console import Console

    from tianti.api import place_entry
    from tianti.board.place import NewEntry
    from tianti.board.terminal_pairs import render_place
    from tianti.cli.progress import TerminalProgress
    from tianti.models import LoadOptions

    new = NewEntry(model, adapt, tuple(seed or (0,)), delta, order_seed, LoadOptions(device))
    found = place_entry(store, new, study, TerminalProgress())
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        Console().print(render_place(found))
