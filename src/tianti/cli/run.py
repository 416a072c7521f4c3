"""`tianti run`: a study file, or the short form MODEL --task T --adapt A."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from rich.console import Console

    from tianti.board import Board
    from tianti.store import Store
    from tianti.study import Study


OPTIONS = {
    "study": "--name", "models": "MODEL", "tasks": "--task", "adaptations": "--adapt", "seeds": "--seed",
    "limit": "--limit", "include": "--include", "device": "--device", "dtype": "--dtype", "batch": "--batch",
    "engine": "--engine", "workers": "--workers", "until": "--until", "delta": "--delta", "order_seed": "--order-seed",
    "train_sizes": "--train-size", "search": "--search", "transfer": "--transfer",
}  # fmt: skip
"""The options by the keys of a study that they stand for."""


def run(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY.yaml | MODEL…",
            help="A study file; or models: a folder, a hub id org/name[@revision], nano:llama, baseline:tfidf.",
        ),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "-t", help="A task: nano/sentiment, my_task.yaml, harness:hellaswag. May be repeated."
        ),
    ] = None,
    adapt: Annotated[
        list[str] | None,
        typer.Option(
            "--adapt", "-a", help="An adaptation: zero-shot, few-shot(k=4), lora(r=8), … May be repeated."
        ),
    ] = None,
    seed: Annotated[list[int] | None, typer.Option("--seed", help="A seed. May be repeated.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-l", help="At most so many samples of each task.")
    ] = None,
    train_size: Annotated[
        str | None,
        typer.Option("--train-size", help="Learning curves: 16,64,256,all gives a row for each size."),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search", help="Choose settings on the validation split: lr=1e-4..1e-2 epochs=1,3,5 trials=8"
        ),
    ] = None,
    transfer: Annotated[
        list[str] | None,
        typer.Option("--transfer", help="Learn this task, or all, whichever is asked. May be repeated."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The name of the study in the short form.")] = "run",
    include: Annotated[
        list[Path] | None, typer.Option("--include", help="A folder with lm-eval YAML files of your own.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="auto, float32, bfloat16, float16.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="Rows of a batch, or auto.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="What runs language models: transformers or vllm.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option("--workers", help="Processes, or auto: all cores for small models.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="decided: stop each entry when its every comparison is decided."),
    ] = None,
    delta: Annotated[
        float | None, typer.Option("--delta", help="Points that tied entries may be apart: 2. With --until.")
    ] = None,
    order_seed: Annotated[
        int | None, typer.Option("--order-seed", help="The seed of the order of asking: 0. With --until.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the trials, their tokens and time; do nothing.")
    ] = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Run a study: models × adaptations × tasks × seeds. What is finished already is not done again."""
    from rich.console import Console

    from tianti.adapt.sizes import parse_sizes
    from tianti.api import run_study
    from tianti.cli.plan import print_plan
    from tianti.cli.progress import TerminalProgress
    from tianti.cli.summary import nothing_answered, print_next, print_summary
    from tianti.store import Store
    from tianti.study import nothing_fits, trials

    if search is not None:
        what, search = _search_words(what, search)
    changes = {
        "search": search, "tasks": task, "adaptations": adapt, "seeds": seed, "limit": limit, "include": include,
        "transfer": transfer,
        "train_sizes": None if train_size is None else parse_sizes(train_size),
        "device": device, "dtype": dtype, "batch": _number(batch), "engine": engine,
        "workers": _number(workers), "until": until, "delta": delta, "order_seed": order_seed,
    }  # fmt: skip
    study = _study(what, {key: value for key, value in changes.items() if value is not None}, name)
    console = Console()
    planned = trials(study)
    if dry_run:
        if not print_plan(planned, console, as_json=as_json):
            raise typer.Exit(1)
        return
    with Store(store) as opened:
        result = run_study(study, planned, opened, TerminalProgress())
        if as_json:
            typer.echo(result.board.to_json())
        else:
            from tianti.board.terminal import render

            console.print(render(result.board))
            _print_transfer(study, opened, result.board, console)
            if study.stream:
                from tianti.board.streams import read_streams
                from tianti.board.terminal_streams import render_streams

                console.print("", render_streams(read_streams(opened, study.study)))
        # Beside JSON the summary goes to standard error: whoever reads the one should not miss the other.
        print_summary(result.outcomes, opened, Console(stderr=True) if as_json else console)
    if not as_json:
        print_next(result.outcomes, console, store)
    outcomes = result.outcomes
    refused = nothing_fits([(outcome.trial, outcome.state == "refused") for outcome in outcomes])
    if refused or any(outcome.state == "failed" or nothing_answered(outcome) for outcome in outcomes):
        raise typer.Exit(1)


def _print_transfer(study: Study, store: Store, board: Board, console: Console) -> None:
    from tianti.board.transfer import render_transfer, transfer_matrices

    if study.transfer:
        console.print(render_transfer(transfer_matrices(board, store.runs(study.study))))


def _study(what: list[str], changes: dict[str, object], name: str) -> Study:
    """The study of a file with the given options put in its place, or the one that the short form describes."""
    from tianti.core.exceptions import InputError
    from tianti.study import checked_study, read_study

    files = [given for given in what if given.endswith((".yaml", ".yml"))]
    if len(what) > 1 and files:
        others = " ".join(given for given in what if given != files[0])
        raise InputError(
            f"{files[0]} stands among models: a study file is given alone, and names its models itself",
            remedy=f"`tianti run {files[0]}` for a study, `tianti run {others} --task {files[0]}` for a task file",
        )
    if not files and "tasks" not in changes:
        raise InputError(
            f"no task given for {', '.join(what)}",
            remedy="add --task nano/sentiment (see `tianti tasks list`), or give a study file that ends in .yaml",
        )
    fields = (
        read_study(Path(files[0])).model_dump(exclude_unset=True)
        if files
        else {"study": name, "models": what}
    )
    return checked_study({**fields, **changes}, names=OPTIONS)


def _search_words(what: list[str], search: str) -> tuple[list[str], str]:
    """Without quotes the shell gives --search its first word, and those behind it as if they were models."""
    words = [given for given in what if re.match(r"[a-z_]+=", given)]
    return [given for given in what if given not in words], " ".join([search, *words])


def _number(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdigit() else text
