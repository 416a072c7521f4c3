"""The live site: pages, data and OpenAPI of a snapshot over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tianti import __version__
from tianti.board.snapshot import Snapshot
from tianti.store import Store
from tianti.web import api
from tianti.web.base import UnderBase
from tianti.web.data import ROOT
from tianti.web.respond import Responder
from tianti.web.security import SecurityHeaders
from tianti.web.site import Site


def make_app(snapshot: Snapshot, store: Store, base: str = "") -> ASGIApp:
    """The ASGI application of a snapshot; `store` holds the answers behind it, `base` is the path that it lies under
    (`/boards`), whether or not a proxy takes that away."""
    responder = Responder(Site(snapshot, store))
    return app_of(lambda: responder, base)


def app_of(responder: Callable[[], Responder], base: str = "") -> ASGIApp:
    """The ASGI application that answers each request with what `responder` gives for it."""
    app = FastAPI(
        title="tianti",
        version=__version__,
        openapi_url=f"/{ROOT}openapi.json",
        # The pages of FastAPI for it load scripts of other hosts.
        docs_url=None,
        redoc_url=None,
    )
    app.state.responder = responder
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=Path(str(files("tianti.web") / "static"))))
    app.add_route("/", _start, methods=["GET"])
    app.add_route("/{language}/compare/", _compare, methods=["GET"])
    app.add_route("/{language}/compare/{board}/", _compare, methods=["GET"])
    app.add_route("/{address:path}", _page, methods=["GET"])
    return SecurityHeaders(UnderBase(app, base), base)


async def _start(request: Request) -> Response:
    answer: Response = request.app.state.responder().start(request)
    return answer


async def _compare(request: Request) -> Response:
    language, board = request.path_params["language"], request.path_params.get("board")
    address = f"{language}/compare/" + (f"{board}/" if board else "")
    answer: Response = await request.app.state.responder().compare(request, address, board)
    return answer


async def _page(request: Request) -> Response:
    answer: Response = await request.app.state.responder().respond(request, request.path_params["address"])
    return answer
