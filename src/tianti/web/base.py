"""A site below a path of its host."""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class UnderBase:
    """ASGI middleware: the path `base` (`/boards`) is taken off requests that have it, and named as their `root_path`.

    Those without it pass as they are: a proxy has taken it off.
    """

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._base and scope["type"] == "http":
            if scope["path"] == self._base:
                await RedirectResponse(f"{self._base}/", 308)(scope, receive, send)
                return
            if scope["path"].startswith(f"{self._base}/"):
                scope = {**scope, "root_path": self._base}
        await self._app(scope, receive, send)
