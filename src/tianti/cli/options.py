"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[
    Path,
    typer.Option(
        "--store", envvar="TIANTI_STORE", help="Folder of the results.", show_default="tianti-store"
    ),
]
DEFAULT_STORE = Path("tianti-store")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
WattsOption = Annotated[
    float | None,
    typer.Option(
        "--watts", min=0.0, help="The power of the machine: energy is estimated as seconds times this."
    ),
]
StudyOption = Annotated[
    str | None, typer.Option("--study", help="Only this study; by default all of the store.")
]


def is_named(context: typer.Context, option: str) -> bool:
    """Whether an option was given, on the command line or by its variable, and does not stand at its default."""
    source = context.get_parameter_source(option)
    return source is not None and source.name != "DEFAULT"
