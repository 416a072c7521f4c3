"""`tianti web`: the board in a browser, live."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, StoreOption, StudyOption, WattsOption, is_named

if TYPE_CHECKING:
    from tianti.board import Rules


def web(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8000,
    base: Annotated[str, typer.Option("--base", help="The path that the site lies under: /boards.")] = "",
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh/--no-refresh", help="Show what is added to the store meanwhile, within seconds."
        ),
    ] = True,
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    watts: WattsOption = None,
) -> None:
    """Serve the board in English and Chinese, with its data as JSON, until Ctrl-C."""
    from tianti.board import Rules

    place = Place(host, port, checked_base(base))
    or_none = study is None and not is_named(context, "store")
    serve_store(store, study, place, Rules(watts=watts), refresh=refresh, or_none=or_none)


@dataclass(frozen=True)
class Place:
    """Where a site is served: on which address and port (0 is any that is free), below which path."""

    host: str = "127.0.0.1"
    port: int = 8000
    base: str = ""


def serve_store(
    folder: Path,
    study: str | None,
    place: Place,
    rules: Rules | None = None,
    *,
    refresh: bool = True,
    or_none: bool = False,
) -> None:
    """Serve the site of a store, or of one of its studies, until Ctrl-C; `rules` say how its boards are computed.

    Where there is no store, `or_none` shows a site without results, and the store when it appears.

    Raises:
        StoreError: there is no store in the folder.
        InputError: one cannot listen there.
    """
    from tianti.core.garbage import without_collection

    with without_collection():
        import uvicorn

        from tianti.board.assemble import USUAL
        from tianti.store import open_or_none, open_store
        from tianti.web.app import app_of
        from tianti.web.live import Live

    found = open_or_none(folder) if or_none else open_store(folder)
    with found as opened, listen(place.host, place.port) as listening, ExitStack() as opening:
        awaited = None if opened.folder == folder else folder
        live = opening.enter_context(closing(Live(opened, study, rules or USUAL, awaited)))
        number = listening.getsockname()[1]
        name = f"[{place.host}]" if ":" in place.host else place.host
        if awaited:
            say_no_results(folder)
        typer.echo(f"Serving http://{name}:{number}{place.base}/ until Ctrl-C")
        app = app_of(lambda: live.responder, place.base)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        with live.kept_fresh() if refresh else nullcontext(), suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


def say_no_results(folder: Path) -> None:
    """Say what a site shows that has no results, and how it gets some."""
    typer.echo(
        f"no results in {folder} yet: the site shows what papers report. `tianti demo` measures the first models, "
        "`tianti run MODEL --task TASK` your own."
    )


def checked_base(base: str) -> str:
    """`boards/` → `/boards`; nothing stays nothing.

    Raises:
        InputError: it is no path.
    """
    from tianti.core.exceptions import InputError

    path = base.strip("/")
    if not re.fullmatch(r"[A-Za-z0-9._~/-]*", path) or "//" in path:
        raise InputError(f"--base {base}: expected a path such as /boards")
    return f"/{path}" if path else ""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        InputError: the port is taken, or the host is none of this machine.
    """
    from tianti.core.exceptions import InputError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            remedy="name another with --port, 0 for any that is free",
        ) from error
