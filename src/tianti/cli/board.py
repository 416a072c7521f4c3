"""`tianti board` and `tianti compare`: look at the results in the terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption, StudyOption, WattsOption

if TYPE_CHECKING:
    from tianti.board import Board


MOST_ENTRIES = 100


class Proportions(StrEnum):
    """The intervals for shares of independent samples."""

    wilson = "wilson"
    clopper_pearson = "clopper-pearson"


class Correction(StrEnum):
    """How the ranks allow for many comparisons."""

    holm = "holm"
    max_t = "max-t"


def board(
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.9999, help="Of all intervals.")] = 0.95,
    intervals: Annotated[
        Proportions, typer.Option("--intervals", help="Of shares of independent samples.")
    ] = Proportions.wilson,
    ranks: Annotated[
        Correction, typer.Option("--ranks", help="How ranks allow for many comparisons.")
    ] = Correction.holm,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of what max-t draws.")] = 0,
    metrics: Annotated[
        str, typer.Option("--metrics", help="Further columns: brier,ece or all that were measured.")
    ] = "",
    curve: Annotated[
        bool,
        typer.Option("--curve", help="Scores by the number of training examples, in place of the board."),
    ] = False,
    transfer: Annotated[
        bool,
        typer.Option("--transfer", help="What was learned × what was asked, in place of the board."),
    ] = False,
    matrix: Annotated[
        bool,
        typer.Option("--matrix", help="Of streams: the score of every task after every stage."),
    ] = False,
    front: Annotated[
        str,
        typer.Option(
            "--pareto",
            metavar="COST",
            help="What scores cost: parameters, trained, examples, seconds, tokens or energy.",
        ),
    ] = "",
    watts: WattsOption = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Print the first so many entries.")] = MOST_ENTRIES,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="Only this task, or those like it: 'nano/*'. May be repeated."),
    ] = None,
    search: Annotated[
        str, typer.Option("--search", help="Only entries with this text in the name of model or adaptation.")
    ] = "",
    regimes: Annotated[
        list[str] | None,
        typer.Option("--regime", help="Only this kind of adaptation: zero-shot, lora. May be repeated."),
    ] = None,
    families: Annotated[
        list[str] | None,
        typer.Option("--family", help="Only models of this architecture: causal, masked. May be repeated."),
    ] = None,
    provenances: Annotated[
        list[str] | None,
        typer.Option("--provenance", help="Only entries that were measured, imported, … May be repeated."),
    ] = None,
    languages: Annotated[
        list[str] | None,
        typer.Option("--lang", help="Only tasks in this language: en, zh. May be repeated."),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            help="Only entries whose number in a column is less (lt), at most (le), more (gt) or at least (ge) so "
            "much: parameters:lt:8e9, mean:ge:50. May be repeated.",
        ),
    ] = None,
    columns: Annotated[
        str, typer.Option("--columns", help="Only these columns: mean,parameters,nano-sentiment.")
    ] = "",
    sort: Annotated[
        list[str] | None,
        typer.Option(
            "--sort",
            help="By this column; with a - before it the highest first: -mean. The last of several counts most.",
        ),
    ] = None,
    pins: Annotated[
        list[str] | None,
        typer.Option(
            "--pin", help="This entry first, whether or not it fits: nano-llama-lora. May be repeated."
        ),
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            "--view", help="The address of the board's page, or what stands behind its ?: 'q=llama'."
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write it to this file in place: .csv, .json, .parquet, .tex or .md."
        ),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the board: ranks and scores with their intervals; behind it what streams of tasks forgot.

    Which entries and columns are shown is said in the words of the address of the board's page. Ranks are those of the
    whole board.
    """
    from rich.console import Console

    from tianti.api import load_board, load_streams
    from tianti.board import Rules
    from tianti.board.cut import cut
    from tianti.board.filters import read
    from tianti.board.formats import format_of
    from tianti.board.snapshot import board_json
    from tianti.board.terminal import render
    from tianti.board.terminal_streams import render_streams
    from tianti.core.exceptions import InputError

    words = {
        "r": regimes, "family": families, "provenance": provenances, "lang": languages, "f": filters, "s": sort,
        "pin": pins,
    }  # fmt: skip
    selection = read(
        view,
        *((key, value) for key, values in words.items() for value in values or ()),
        *(("q", search), ("cols", columns)),
    )
    if (selection or output) and (transfer or curve or matrix or front):
        raise InputError(
            "--transfer, --curve, --matrix and --pareto are printed whole, not in part and not to a file",
            remedy="leave out either",
        )
    form = None if output is None else format_of(output.name)
    loaded = load_board(
        store, study, Rules(level, intervals.value, ranks.value, seed, watts=watts), tasks or ()
    )
    streams = load_streams(store, study, level)
    if transfer:
        _print_transfer(loaded, store, study, as_json=as_json)
    elif curve:
        _print_curves(loaded, as_json=as_json)
    elif front:
        _print_front(loaded, front, as_json=as_json)
    elif output is not None and form is not None:
        _write(output, form.write(cut(loaded, selection), streams))
    elif as_json:
        typer.echo(board_json(loaded, streams, selection))
    elif matrix:
        Console().print(render_streams(streams, matrix=True))
    else:
        further = [name.strip() for name in metrics.split(",") if name.strip()]
        Console().print(render(loaded, further, top, selection))
        if streams:
            Console().print("", render_streams(streams))
        _print_others(store, loaded.title)


def _write(file: Path, content: bytes) -> None:
    from tianti.core.exceptions import InputError

    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
    typer.echo(f"board written: {file}")


def _print_others(store: Path, shown: str) -> None:
    """The boards of what was imported that are not this one."""
    from rich.console import Console
    from rich.text import Text

    from tianti.store import open_store

    with open_store(store) as opened:
        others = dict.fromkeys(record.study for record in opened.imports() if record.study != shown)
    if others:
        named = ", ".join(f"--study {name}" for name in others)
        Console().print(Text(f"imported boards in this store: {named}", style="dim"))


def _print_transfer(loaded: Board, store: Path, study: str | None, *, as_json: bool) -> None:
    from rich.console import Console

    from tianti.board.transfer import render_transfer, transfer_matrices
    from tianti.store import open_store

    with open_store(store) as opened:
        found = transfer_matrices(loaded, opened.runs(study))
    if as_json:
        typer.echo(json.dumps([asdict(matrix) for matrix in found], ensure_ascii=False, indent=2))
    else:
        Console().print(render_transfer(found))


def _print_curves(loaded: Board, *, as_json: bool) -> None:
    from rich.console import Console

    from tianti.board import curves

    if as_json:
        typer.echo(json.dumps(curves.as_json(curves.curves(loaded)), ensure_ascii=False, indent=2))
    else:
        Console().print(curves.render_curves(loaded))


def _print_front(loaded: Board, cost: str, *, as_json: bool) -> None:
    from rich.console import Console

    from tianti.board import pareto

    found = pareto.pareto(loaded, cost)
    if as_json:
        typer.echo(json.dumps(pareto.as_json(found), ensure_ascii=False, indent=2))
    else:
        Console().print(pareto.render_front(found, cost))


def compare(
    first: Annotated[
        str, typer.Argument(metavar="A", help="An entry, as the board names it: 'nano:llama · lora'.")
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="The entry to compare it with.")],
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two entries on the samples that both answered: differences with intervals."""
    from rich.console import Console

    from tianti.api import compare_entries
    from tianti.board.terminal_pairs import render_comparison

    comparison = compare_entries(store, first, second, study)
    if as_json:
        typer.echo(json.dumps(asdict(comparison), ensure_ascii=False, indent=2))
    else:
        Console().print(render_comparison(comparison))
