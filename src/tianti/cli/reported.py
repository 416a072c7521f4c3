"""`tianti reported`: what papers report of famous systems."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tianti.cli.options import JsonOption


class Language(StrEnum):
    """Of headings and notes."""

    en = "en"
    zh = "zh"


def reported(
    task: Annotated[
        str | None, typer.Option("--task", "-t", help="Only this benchmark, with its sources.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Only this model, with its sources.")
    ] = None,
    language: Annotated[Language, typer.Option("--language", help="Of headings and notes.")] = Language.en,
    as_json: JsonOption = False,
) -> None:
    """Print what papers report of GPT-3, ChatGPT, GPT-4, PaLM, BERT and T5, with sources. It was not measured here."""
    from rich.console import Console

    from tianti.board.reported import reported_board, reported_scores
    from tianti.board.reported.layout import select
    from tianti.board.reported.terminal import render_reported

    found = select(reported_scores(), task, model)
    if as_json:
        typer.echo(reported_board(found).to_json())
    else:
        Console().print(render_reported(found, language.value, sources=task is not None or model is not None))
