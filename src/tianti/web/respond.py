"""Requests → responses: an address of the site from the cache, or rendered and kept; redirects; what is not there."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tianti.web.cache import Cache, Rendered
from tianti.web.data import ROOT
from tianti.web.page import NoSuchPageError
from tianti.web.pages.compare import Refused, asked
from tianti.web.site import Site
from tianti.web.words import LANGUAGES


class Responder:
    """Answers requests about one snapshot."""

    def __init__(self, site: Site, cache: Cache | None = None) -> None:
        self._site = site
        self._cache = cache or Cache()

    async def respond(self, request: Request, address: str) -> Response:
        """What lies at an address, or a response that says that nothing does."""
        rendered = self._cache.get(address)
        if rendered is None:
            try:
                rendered = await run_in_threadpool(self._render, address)
            except NoSuchPageError:
                return await run_in_threadpool(self._missing, address)
        return _response(request, rendered)

    async def compare(self, request: Request, address: str, board: str | None) -> Response:
        """On to the page that compares the entries `m=…&m=…`, of which the page at `address` asks."""
        wanted = request.query_params.getlist("m")
        if not any(name.strip() for name in wanted):
            return await self.respond(request, address)
        try:
            found = asked(self._site, wanted, board)
        except NoSuchPageError:
            return await run_in_threadpool(self._missing, address)
        if isinstance(found, Refused):
            return HTMLResponse(self._site.render_missing(address, found), 404)
        return RedirectResponse(found if board is None else f"../{found}", 307)

    def start(self, request: Request) -> Response:
        """On to the language that the browser asks for. Relative, so that any base path will do."""
        language = preferred_language(request.headers.get("accept-language", ""))
        return RedirectResponse(f"{language}/", 307, {"vary": "Accept-Language"})

    def _render(self, address: str) -> Rendered:
        rendered = Rendered.of(*self._site.render(address))
        self._cache.put(address, rendered)
        return rendered

    def _missing(self, address: str) -> Response:
        if address.startswith(ROOT):
            listed = f"{ROOT}index.json"
            return JSONResponse({"detail": f"nothing is here; {listed} lists what there is"}, 404)
        if not address.endswith("/") and self._is_page(f"{address}/"):
            return RedirectResponse(f"{address.rpartition('/')[2]}/", 308)
        return HTMLResponse(self._site.render_missing(address), 404)

    def _is_page(self, address: str) -> bool:
        try:
            self._render(address)
        except NoSuchPageError:
            return False
        return True


def preferred_language(accepted: str) -> str:
    """The language of the site that `Accept-Language` (RFC 9110, 12.5.4) likes best; the first where it likes none."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        tag, _, weight = part.partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        try:
            weights[language] = max(weights.get(language, 0.0), float(weight or 1))
        except ValueError:
            continue
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))


def _response(request: Request, rendered: Rendered) -> Response:
    headers = {"etag": rendered.tag, "cache-control": "no-cache", "vary": "Accept-Encoding"}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if rendered.tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(rendered.compressed, media_type=rendered.media_type, headers=headers)
    return Response(rendered.body, media_type=rendered.media_type, headers=headers)
