"""A real browser, and one small site to look at: live from uvicorn, and exported, in a folder under a path.

`page` and `open_page` watch: an error of the console or of a script, something that the content security policy
forbids, or a request that leaves this machine fails the test that caused it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Request,
    sync_playwright,
)

from charted import record_charted
from tianti.board.snapshot import Snapshot, take_snapshot
from tianti.cli.web import listen
from tianti.store import Store
from tianti.web.app import make_app
from tianti.web.export import write_site
from worlds import PERPLEXITY, World

BASE = "/x/y/"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "=cmd|' /C calc'!A0",
    f"org/name, second; {'third' * 56}",
    "模型/甲 🐉 سلّم",
)
"""Names that would do harm if they were not taken as text, that are long, or that are written from right to left."""
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # One process for all pages, and none for graphics: to start one costs more than to draw a page.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    "--in-process-gpu",
    "--disable-software-rasterizer",
    "--disable-extensions",
)
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`${event.violatedDirective} forbids ${event.blockedURI}`));
"""


def _load(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


BOARDS = _load(Path(__file__).parents[3] / "benchmarks" / "boards.py")
"""Synthetic boards, which the benchmarks show too."""
OpenPage = Callable[..., Page]


@dataclass(frozen=True)
class Shown:
    """A snapshot, its store, and where its site is: `live`, `exported` and (with no path) `at_root` are addresses that
    end in a slash; what was exported lies in `folder`."""

    snapshot: Snapshot
    store: Store
    live: str
    exported: str
    at_root: str
    folder: Path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for all tests of a session."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing = "no chromium on this machine: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The small site: hostile names, two languages, a metric that is no share, runs that failed, tasks not run."""
    folder = tmp_path_factory.mktemp("shown")
    with Store(folder / "store") as store:
        record_small(store)
        with shown_of(take_snapshot(store), store, folder) as site:
            yield site


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A site of which everything is drawn."""
    folder = tmp_path_factory.mktemp("drawn")
    with Store(folder / "store") as store, shown_of(record_charted(store, items=24), store, folder) as site:
        yield site


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a live site of a store without results."""
    with (
        Store(tmp_path_factory.mktemp("fresh")) as store,
        live(take_snapshot(store), store) as served,
    ):
        yield served


@contextmanager
def shown_of(snapshot: Snapshot, store: Store, folder: Path) -> Iterator[Shown]:
    """A site in both ways; its files are written below `folder`."""
    site = folder / "site"
    write_site(snapshot, store, site, samples=3)
    with live(snapshot, store) as served, exported(site) as lying, exported(site, "/") as at_root:
        yield Shown(snapshot, store, served, lying, at_root, site)


def record_small(store: Store) -> None:
    """Six models under up to three adaptations on up to three tasks."""
    world = World(items=24, languages={"topics": "zh"}, metrics={"texts": PERPLEXITY})
    for index, model in enumerate(("nano:llama", *HOSTILE)):
        for adaptation, gain in (("zero-shot", 0.0), ("lora(r=8)", 0.12)):
            world.record(store, model, adaptation, "sentiment", 0.85 - 0.1 * index + gain)
            world.record(store, model, adaptation, "topics", 0.8 - 0.08 * index + gain, prompt=HOSTILE[0])
    world.record(store, "nano:llama", "zero-shot", "texts", 0.5)
    world.record(store, "nano:llama", "full", "sentiment", 0.9)
    world.record_failure(store, "nano:llama", "full", "topics", "<b>out</b> of memory")


@contextmanager
def live(snapshot: Snapshot, store: Store) -> Iterator[str]:
    """Serve a snapshot as `tianti web` does, on a free port of this machine; gives its address."""
    server = uvicorn.Server(uvicorn.Config(make_app(snapshot, store), log_level="warning"))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


class UnderPath(SimpleHTTPRequestHandler):
    """The files of a folder under a path, and nothing elsewhere: as a host of static files serves them."""

    protocol_version = "HTTP/1.1"
    base = BASE

    def translate_path(self, path: str) -> str:
        inside = path.removeprefix(self.base) if path.startswith(self.base) else "nothing-is-here"
        return super().translate_path(f"/{inside}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def exported(folder: Path, base: str = BASE) -> Iterator[str]:
    """Serve an exported site as plain files under a path; gives its address."""
    handler = type("Handler", (UnderPath,), {"base": base})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}{base}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def wide(shown: Shown) -> Iterator[str]:
    """The address of a live board that is larger than any window: 400 entries on 30 tasks."""
    with live(BOARDS.synthetic_snapshot(400, 30), shown.store) as served:
        yield served


@pytest.fixture(params=["live", "exported"])
def address(request: pytest.FixtureRequest, shown: Shown) -> str:
    """Where the small site is; a test that asks for it runs against both."""
    return shown.live if request.param == "live" else shown.exported


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address that its files have at another origin than the site's."""
    with exported(tmp_path) as address:
        yield tmp_path, address


@pytest.fixture(params=["live", "exported"])
def charted(request: pytest.FixtureRequest, drawn: Shown) -> str:
    """Where the site of which everything is drawn is; a test that asks for it runs against both."""
    return drawn.live if request.param == "live" else drawn.exported


@pytest.fixture
def troubles() -> Iterator[list[str]]:
    """What went wrong in the pages of a test: none of it may. A test that means to cause some clears the list."""
    seen: list[str] = []
    yield seen
    assert seen == []


@pytest.fixture
def open_page(browser: Browser, troubles: list[str]) -> Iterator[OpenPage]:
    """`open_page(viewport=…, locale=…, java_script_enabled=…)`: a watched page of a browser that knows nothing yet."""
    contexts: list[BrowserContext] = []

    def opened(**settings: Any) -> Page:
        context = browser.new_context(**settings)
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        _watch(page, troubles)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def kept(browser: Browser) -> Iterator[Page]:
    """The page behind `page`, which is the same in all tests: a new one costs as much as what most of them do."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(kept: Page, troubles: list[str]) -> Iterator[Page]:
    """A watched page, 1440 × 900, of a browser that has stored nothing."""
    kept.set_viewport_size({"width": 1440, "height": 900})
    handlers = _watch(kept, troubles)
    yield kept
    for event, handler in handlers.items():
        kept.remove_listener(event, handler)
    kept.emulate_media(color_scheme="null", media="null", reduced_motion="null", forced_colors="null")
    kept.context.clear_cookies()
    if kept.url.startswith("http"):
        kept.evaluate("localStorage.clear()")
    kept.goto("about:blank")


def _watch(page: Page, troubles: list[str]) -> Mapping[str, Callable[..., None]]:
    """Write down what goes wrong in a page; gives what listens, by its event."""

    def of_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            troubles.append(f"console: {message.text}")

    def of_error(error: Error) -> None:
        troubles.append(f"script: {error}")

    def of_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in (None, "127.0.0.1"):
            troubles.append(f"request: {request.url}")

    def of_dialog(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    handlers = {"console": of_console, "pageerror": of_error, "request": of_request, "dialog": of_dialog}
    for event, handler in handlers.items():
        page.on(event, handler)
    return handlers
