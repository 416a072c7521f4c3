"""`tianti export DIR`: the board as static files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, StoreOption, StudyOption, WattsOption, is_named
from tianti.cli.web import say_no_results


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the site is written.")],
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples", min=0, help="Pages for so many samples of each run; their data is there for all."
        ),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    watts: WattsOption = None,
) -> None:
    """Write the board as a static site in English and Chinese, with its data as JSON."""
    from tianti.board import Rules
    from tianti.board.snapshot import take_snapshot
    from tianti.store import open_or_none, open_store
    from tianti.web.export import write_site

    named = study is not None or is_named(context, "store")
    with open_store(store) if named else open_or_none(store) as opened:
        snapshot = take_snapshot(opened, study, Rules(watts=watts))
        index = write_site(snapshot, opened, folder, samples)
        if opened.folder != store:
            say_no_results(store)
    typer.echo(f"site written: {index}")
