"""`tianti import FILE…`: other people's results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from tianti.store import ImportRecord


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="lm-eval results and samples, Open LLM Leaderboard, MTEB, LiveBench."
        ),
    ],
    study: Annotated[
        str | None, typer.Option("--study", help="The board that they go to; else one for each format.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="The model, for files that do not say it.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Import results of other programs: all files or none. Their boards stand apart from what was measured."""
    from tianti.board.importers.add import import_files as add
    from tianti.core.wording import counted
    from tianti.store import Store

    with Store(store) as opened:
        done = add(opened, files, study, model)
    if as_json:
        added, found = map(_as_json, done.added), map(_as_json, done.found)
        content = {"added": list(added), "found": list(found), "notes": [list(note) for note in done.notes]}
        typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    where = "" if store == DEFAULT_STORE else f" --store {store}"
    typer.echo(f"{counted(len(done.added), 'file')} imported, {len(done.found)} found from before.")
    for file, note in done.notes:
        typer.echo(f"{file}: {note}")
    for name in dict.fromkeys(record.study for record in (*done.added, *done.found)):
        own = [record for record in done.added if record.study == name]
        rows = sum(part.rows for record in own for part in record.parts.values())
        said = (
            f" ({counted(rows, 'score')}, {', '.join(dict.fromkeys(r.format for r in own))})" if own else ""
        )
        typer.echo(f"tianti board --study {name}{where}{said}")


def _as_json(record: ImportRecord) -> dict[str, Any]:
    rows = {name: part.rows for name, part in record.parts.items()}
    return {
        "study": record.study,
        "format": record.format,
        "source": record.source,
        "sha256": record.sha256,
        "rows": rows,
    }
