"""`tianti demo`: the built-in study, its board and its site, and a stream of tasks behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from rich.console import Console

    from tianti.board.streams import Stream
    from tianti.core.progress import Progress
    from tianti.study import Study

STUDY = Path(__file__).parents[1] / "demo.yaml"
STREAM = Path(__file__).parents[1] / "demo-stream.yaml"
ABOUT_STREAM = (
    "One task after another: a small model learns three tasks in turn, and is asked all three after each. Read a "
    "column downwards: what it loses once its task has been learned was forgotten. plain does nothing about it, "
    "replay goes on learning a few samples that it keeps, joint learns all tasks at once and has nothing to forget."
)


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
    """Run the built-in study: three small models, adapted in six ways, against two baselines, on every kind of task.

    Then one of them learns three tasks in turn: what does it forget?
    """
    from rich.console import Console

    from tianti.api import run_study
    from tianti.board.snapshot import take_snapshot
    from tianti.board.streams import read_streams
    from tianti.board.terminal import render
    from tianti.cli.progress import TerminalProgress
    from tianti.cli.summary import print_summary
    from tianti.cli.web import Place, serve_store
    from tianti.store import Store
    from tianti.study import read_study, trials
    from tianti.web.export import write_site

    progress = TerminalProgress()
    study, stream = (
        _changed(read_study(path), store, limit, from_scratch, steps, progress) for path in (STUDY, STREAM)
    )
    console = Console()
    with Store(store) as opened:
        result = run_study(study, trials(study), opened, progress)
        index = write_site(take_snapshot(opened, study.study), opened, site)
        console.print(render(result.board))
        print_summary(result.outcomes, opened, console)
        console.print()
        learned = run_study(stream, trials(stream), opened, progress)
        print_stream(read_streams(opened, stream.study), console)
        print_summary(learned.outcomes, opened, console)
    console.print(f"The site: {index}", highlight=False, soft_wrap=True)
    if serve:
        serve_store(store, study.study, Place(port=port))


def print_stream(found: Sequence[Stream], console: Console) -> None:
    """The score of every task after every stage, and what each strategy kept, in plain words."""
    from rich.text import Text

    from tianti.board.show import interval_text
    from tianti.board.terminal_streams import render_streams

    console.print(Text(ABOUT_STREAM), "", render_streams(found, matrix=True))
    for stream in found:
        lost = stream.forgetting_first
        forgotten = f", {interval_text(lost)} points forgotten" if lost else ""
        console.print(Text(f"{stream.strategy}: {interval_text(stream.average)} in the end{forgotten}"))
    console.print(
        Text("Means over the tasks. All figures, and what each of them is: tianti board --study demo-stream")
    )


def _changed(
    study: Study, store: Path, limit: int | None, from_scratch: bool, steps: int | None, progress: Progress
) -> Study:
    """The study as the options want it."""
    if limit is not None:
        study = study.model_copy(update={"limit": limit})
    if from_scratch:
        models = tuple(_pretrained(model, store, steps, progress) for model in study.models)
        study = study.model_copy(update={"models": models})
    return study


def _pretrained(model: str, store: Path, steps: int | None, progress: Progress) -> str:
    """The folder of a nano model that is pre-trained again, unless that was done before; other models as they are."""
    from tianti.adapt.pretrain.nano import RECIPES, pretrain_nano

    prefix, _, name = model.partition(":")
    if prefix != "nano" or name not in RECIPES:
        return model
    folder = store / f"nano-{name}"
    pretrain_nano(name, folder, progress, steps)
    return str(folder)
