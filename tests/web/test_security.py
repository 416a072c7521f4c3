from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tianti.web.policy import EMBEDDED, HEADERS, POLICY, headers_of
from tianti.web.security import SecurityHeaders


async def plain(_):
    return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src *", "x-own": "1"})


async def cached(_):
    return PlainTextResponse("x", headers={"Cache-Control": "max-age=9"})


async def away(_):
    return RedirectResponse("/plain")


async def broken(_):
    raise ZeroDivisionError


def client():
    routes = [Route(f"/{each.__name__}", each) for each in (plain, cached, away, broken)]
    app = SecurityHeaders(Starlette(routes=routes))
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def test_every_response_has_the_headers_once():
    for path, status in (
        ("/plain", 200),
        ("/cached", 200),
        ("/away", 307),
        ("/broken", 500),
        ("/nothing", 404),
    ):
        response = client().get(path)
        assert response.status_code == status
        for name, value in HEADERS.items():
            assert response.headers.get_list(name) == [value]
        assert response.headers["cache-control"] == ("max-age=9" if path == "/cached" else "no-cache")
    assert client().get("/plain").headers["x-own"] == "1"


def test_nothing_unsafe_and_nobody_else_is_allowed():
    assert POLICY.startswith("default-src 'none'; ")
    assert "frame-ancestors 'self'" in HEADERS["content-security-policy"]
    sources = [source for part in POLICY.split("; ") for source in part.split(" ")[1:]]
    assert set(sources) == {"'none'", "'self'", "data:"}


def test_what_is_no_http_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])
        await send({"type": "lifespan.startup.complete"})

    async def send(message):
        seen.append(message)

    # In a thread of its own: in this one a browser may wait in a loop that goes on for all of a session.
    with start_blocking_portal() as portal:
        portal.call(SecurityHeaders(app), {"type": "lifespan"}, None, send)
    assert seen == ["lifespan", {"type": "lifespan.startup.complete"}]


def test_only_what_is_made_for_it_may_be_framed_by_anybody():
    assert "frame-ancestors *" in EMBEDDED["content-security-policy"]
    assert EMBEDDED.keys() == HEADERS.keys()
    for path in ("/en/embed/b/all/", "/zh/embed/b/a-b/"):
        assert headers_of(path) is EMBEDDED
    for path in (
        "/en/b/all/",
        "/en/embed/b/all/x/",
        "/x/en/embed/b/all/",
        "/en/embed/b/",
        "/en/r/embed/b/x/",
    ):
        assert headers_of(path) is HEADERS
