"""`tianti demo`: the built-in study, its board and its site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from tianti.core.progress import Progress

STUDY = Path(__file__).parents[1] / "demo.yaml"


def demo(
    store: StoreOption = DEFAULT_STORE,
    site: Annotated[Path, typer.Option("--site", help="Where the site is written.")] = Path("tianti-site"),
    limit: Annotated[
        int | None, typer.Option("--limit", "-l", min=1, help="At most so many samples of each task.")
    ] = None,
    from_scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch", help="Pre-train the nano models again instead of using their shipped weights."
        ),
    ] = False,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="End --from-scratch early, after so many steps.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Open the site on a local port when done.")] = False,
    port: Annotated[int, typer.Option("--port", help="The port for --serve; 0 takes a free one.")] = 8000,
) -> None:
    """Run the built-in study: three small models, adapted in six ways, against two baselines, on every kind of task."""
    from rich.console import Console

    from tianti.api import run_study
    from tianti.board.terminal import render
    from tianti.cli.progress import TerminalProgress
    from tianti.cli.summary import print_summary
    from tianti.store import Store
    from tianti.study import read_study, trials
    from tianti.web.site import write_site

    progress = TerminalProgress()
    study = read_study(STUDY)
    if limit is not None:
        study = study.model_copy(update={"limit": limit})
    if from_scratch:
        models = tuple(_pretrained(model, store, steps, progress) for model in study.models)
        study = study.model_copy(update={"models": models})
    with Store(store) as opened:
        result = run_study(study, trials(study), opened, progress)
        index = write_site(result.board, opened, site)
        console = Console()
        console.print(render(result.board))
        print_summary(result.outcomes, opened, console)
    console.print(f"The site: {index}", highlight=False, soft_wrap=True)
    if serve:
        serve_site(site, port)


def _pretrained(model: str, store: Path, steps: int | None, progress: Progress) -> str:
    """The folder of a nano model that is pre-trained again, unless that was done before; other models as they are."""
    from tianti.adapt.pretrain.nano import RECIPES, pretrain_nano

    prefix, _, name = model.partition(":")
    if prefix != "nano" or name not in RECIPES:
        return model
    folder = store / f"nano-{name}"
    pretrain_nano(name, folder, progress, steps)
    return str(folder)


def serve_site(folder: Path, port: int) -> None:
    """Serve the written site on the loopback interface until Ctrl-C."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        typer.echo(f"Serving http://127.0.0.1:{server.server_address[1]}/ until Ctrl-C")
        server.serve_forever()
