"""The headers of the live site that tell a browser what to forbid."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tianti.web.policy import HEADERS, headers_of


class SecurityHeaders:
    """ASGI middleware: every response gets these headers, errors and redirects too, in place of any of the same name.
    `base` is the path that the site lies under.

    What names no caching of its own is asked for again each time (its entity tag saves the transfer).
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._base)
        own = [(name.encode(), value.encode()) for name, value in headers_of(path).items()]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [
                    pair for pair in message.get("headers", ()) if pair[0].decode().lower() not in HEADERS
                ]
                if not any(name.lower() == b"cache-control" for name, _ in kept):
                    kept.append((b"cache-control", b"no-cache"))
                message = {**message, "headers": [*kept, *own]}
            await send(message)

        await self._app(scope, receive, send_with_headers)
