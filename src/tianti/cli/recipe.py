"""`tianti recipe list|show|run`: the processes that any model can go through."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from rich.console import Console

    from tianti.recipe import Course, Reached, Station

app = typer.Typer(help="Processes that any model can go through, step by step.", no_args_is_help=True)


class Language(StrEnum):
    """In which the steps are named."""

    en = "en"
    zh = "zh"


LanguageOption = Annotated[Language, typer.Option("--language", help="Of the steps' names and words.")]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="gpt3, gpt4, chatgpt, palm, or a YAML file.")
]


@app.command("list")
def list_(language: LanguageOption = Language.en, as_json: JsonOption = False) -> None:
    """Print every recipe with what it is."""
    from tianti.adapt.recipes import list_recipes
    from tianti.cli.tables import print_rows

    rows = [
        (recipe.recipe, str(len(recipe.steps)), recipe.title.in_language(language.value))
        for recipe in list_recipes()
    ]
    print_rows(("recipe", "steps", "what it is"), rows, as_json=as_json)


@app.command()
def show(name: NameArgument, as_json: JsonOption = False) -> None:
    """Print a recipe's steps in English and Chinese, with what is done for each kind of model."""
    from tianti.adapt.recipes import ARCHITECTURES, read_recipe

    recipe = read_recipe(name)
    if as_json:
        typer.echo(json.dumps(recipe.model_dump(mode="json"), ensure_ascii=False, indent=2))
        return
    typer.echo(f"{recipe.recipe}: {recipe.title.en} · {recipe.title.zh}")
    typer.echo(f"{recipe.about.en}\n{recipe.about.zh}")
    for number, step in enumerate(recipe.steps, 1):
        typer.echo(f"\n{number}. {step.name.en} · {step.name.zh} ({step.do})")
        typer.echo(f"   {step.words.en}\n   {step.words.zh}")
        if isinstance(step.adaptation, str):
            typer.echo(f"   {step.adaptation}")
        elif step.adaptation is not None:
            for architecture in ARCHITECTURES:
                typer.echo(f"   {architecture}: {step.adaptation_for(architecture) or 'left out'}")
            if step.because is not None:
                typer.echo(f"   Left out: {step.because.en} · {step.because.zh}")


@app.command()
def run(
    name: NameArgument,
    model: Annotated[str, typer.Option("--model", "-m", help="nano:llama, a folder, a hub id.")],
    task: Annotated[str, typer.Option("--task", "-t", help="nano/sentiment, my_task.yaml, harness:NAME.")],
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0,
    limit: Annotated[
        int | None, typer.Option("--limit", "-l", min=1, help="At most so many test samples.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16, float16.")] = "auto",
    language: LanguageOption = Language.en,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Take a model through a recipe. The same command goes on where it was stopped."""
    from rich.console import Console

    from tianti.adapt.recipes import read_recipe
    from tianti.board.build import build_board
    from tianti.board.terminal import render
    from tianti.cli.progress import TerminalProgress
    from tianti.models import LoadOptions, load_model, open_model
    from tianti.recipe import plan, walk
    from tianti.store import Store

    recipe = read_recipe(name)
    loaded = load_model(open_model(model), LoadOptions(device, dtype))
    course = plan(recipe, loaded, model, task, seed, limit)
    console = Console(stderr=as_json)
    _say(
        console,
        f"{recipe.title.in_language(language.value)} ({recipe.recipe}): {loaded.model.name} on {task}",
    )

    def heading(station: Station) -> None:
        step = station.step
        _say(
            console,
            f"\n{station.number}/{len(course.stations)} {step.name.in_language(language.value)}",
            "bold",
        )
        _say(console, step.words.in_language(language.value), "dim")

    with Store(store) as opened:
        reached = []
        for each in walk(course, opened, TerminalProgress(), heading):
            reached.append(each)
            for line in each.lines:
                _say(console, line)
        board = build_board(opened, course.study.study)
    if as_json:
        typer.echo(_as_json(course, reached, board.to_json()))
        return
    console.print()
    console.print(render(board))
    _print_stages(reached, language.value, console)


def _print_stages(reached: list[Reached], language: str, console: Console) -> None:
    """What each stage brought."""
    from rich.table import Table
    from rich.text import Text

    from tianti.recipe.telling import difference_text

    table = Table(
        "stage", "row", "brought, against the stage it starts from", box=None, title="What each stage brought"
    )
    for each in reached:
        if each.entry:
            brought = difference_text(each.brought) if each.brought else "–"
            table.add_row(*map(Text, (each.station.step.name.in_language(language), each.entry, brought)))
    console.print()
    console.print(table)


def _as_json(course: Course, reached: list[Reached], board: str) -> str:
    steps: list[dict[str, Any]] = [
        {
            "number": each.station.number,
            "do": each.station.step.do,
            "name": each.station.step.name.model_dump(),
            "left_out": each.station.left_out,
            "lines": list(each.lines),
            "entry": each.entry or None,
            "run": each.outcome.run.run_id if each.outcome else None,
            "brought": asdict(each.brought) if each.brought else None,
        }
        for each in reached
    ]
    found = {
        "recipe": course.recipe.recipe,
        "study": course.study.study,
        "steps": steps,
        "board": json.loads(board),
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _say(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)
