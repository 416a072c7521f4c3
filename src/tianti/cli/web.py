"""`tianti web`: the board in a browser, live."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, StoreOption, StudyOption, WattsOption


def web(
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8000,
    base: Annotated[str, typer.Option("--base", help="The path that the site lies under: /boards.")] = "",
    store: StoreOption = DEFAULT_STORE,
    study: StudyOption = None,
    watts: WattsOption = None,
) -> None:
    """Serve the board in English and Chinese, with its data as JSON, until Ctrl-C."""
    import uvicorn

    from tianti.board import Rules
    from tianti.board.snapshot import take_snapshot
    from tianti.store import open_store
    from tianti.web.app import make_app

    base = checked_base(base)
    with open_store(store) as opened, listen(host, port) as listening:
        app = make_app(take_snapshot(opened, study, Rules(watts=watts)), opened, base)
        number = listening.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        typer.echo(f"Serving http://{name}:{number}{base}/ until Ctrl-C")
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


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
