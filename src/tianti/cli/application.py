"""All commands in one place."""

from __future__ import annotations

import typer

from tianti.cli import (
    adaptations,
    battles,
    board,
    contamination,
    demo,
    explain,
    export,
    import_files,
    models,
    place,
    pretrain,
    rank,
    recipe,
    reported,
    run,
    show,
    task,
    tasks,
    update,
    version,
    web,
)


def application() -> typer.Typer:
    """The Typer application; a new command is one file and one line here."""
    app = typer.Typer(
        name="tianti",
        help="tianti (天梯): an open LLM leaderboard that anyone can run. "
        "Any command takes --debug, which shows the traceback of an error.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("demo")(demo.demo)
    app.command("run")(run.run)
    app.command("board")(board.board)
    app.command("compare")(board.compare)
    app.command("rank")(rank.rank)
    app.command("battles")(battles.battles)
    app.command("contamination")(contamination.contamination)
    app.command("reported")(reported.reported)
    app.command("import")(import_files.import_files)
    app.command("place")(place.place)
    app.command("pretrain")(pretrain.pretrain)
    app.command("update")(update.update)
    app.command("show")(show.show)
    app.command("explain")(explain.explain)
    app.command("web")(web.web)
    app.command("export")(export.export)
    app.command("version")(version.version)
    app.add_typer(models.app, name="models")
    app.add_typer(tasks.app, name="tasks")
    app.add_typer(adaptations.app, name="adaptations")
    app.add_typer(recipe.app, name="recipe")
    app.add_typer(task.app, name="task")
    return app
