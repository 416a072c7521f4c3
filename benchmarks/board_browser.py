"""What the board's page costs a browser: CPU time of its main thread and bytes of scripts, against their limits.

    python benchmarks/board_browser.py [--entries 5000] [--tasks 40] [--repeat 5]

load    from the address to the drawn table, with half a second after it
sort    a click on a heading, until the other order is drawn
scroll  a frame in which the table moves by 400 pixels, and so gets many new rows
nodes   elements of the page
script  bytes of the modules that the page loads, compressed by gzip

CPU time is the `TaskDuration` of the DevTools protocol in thread ticks, so that it does not depend on what else the
machine does, as far as that may be; the best of the repeats counts. The exit status is 0 also where a limit is missed.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from boards import synthetic_snapshot
from playwright.sync_api import Browser, Page, sync_playwright

import tianti.web
from tianti.store import Store
from tianti.web.app import make_app

LIMITS = {"load": 500, "sort": 100, "scroll": 12, "nodes": 4000, "script": 40_000}
"""Milliseconds, elements and bytes."""
FRAMES = 60
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SCROLL = """(frames) => new Promise((done) => {
  const rows = document.getElementById("rows");
  const step = (left) => {
    if (left === 0) return done();
    rows.scrollTop += 400;
    requestAnimationFrame(() => step(left - 1));
  };
  step(frames);
})"""


def measure(browser: Browser, address: str) -> dict[str, float]:
    """One visit by a browser that knows nothing of the site yet; milliseconds and elements."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    # A page of the same host first, so that the same process draws the board.
    page.goto(f"{address}en/")
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent(deed: Callable[[], object]) -> float:
        before = _busy(session.send("Performance.getMetrics"))
        deed()
        return 1000 * (_busy(session.send("Performance.getMetrics")) - before)

    found = {"load": spent(lambda: _load(page, f"{address}en/b/all/"))}
    found["sort"] = spent(lambda: _sort(page))
    found["scroll"] = spent(lambda: page.evaluate(SCROLL, FRAMES)) / FRAMES
    found["nodes"] = page.evaluate("document.querySelectorAll('*').length")
    context.close()
    return found


def _busy(metrics: dict[str, list[dict[str, float]]]) -> float:
    return next(each["value"] for each in metrics["metrics"] if each["name"] == "TaskDuration")


def _load(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#tools").wait_for(state="visible")
    page.wait_for_timeout(500)


def _sort(page: Page) -> None:
    page.locator("[data-sort=task-1]").click()
    page.evaluate(DRAWN)


def script_bytes() -> int:
    """Of the modules that every visit of a board loads."""
    static = Path(tianti.web.__file__).parent / "static"
    modules = [path for path in (static / "board").glob("*.js") if path.name != "parquet.js"]
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in [*modules, static / "words.js"])


@contextmanager
def served(entries: int, tasks: int) -> Iterator[str]:
    """The address of a synthetic board."""
    snapshot = synthetic_snapshot(entries, tasks)
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder)) as store,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        server = uvicorn.Server(uvicorn.Config(make_app(snapshot, store), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("no chromium on this machine: apt-get install chromium")
    with served(options.entries, options.tasks) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        # The first visit renders page and data on the server; it is not counted.
        page = browser.new_page()
        page.goto(f"{address}en/b/all/", timeout=600_000)
        page.locator("#tools").wait_for(state="visible", timeout=600_000)
        page.close()
        visits = [measure(browser, address) for _ in range(options.repeat)]
        browser.close()
    found = {name: min(visit[name] for visit in visits) for name in visits[0]} | {"script": script_bytes()}
    print("| | measured | limit | share of the limit |\n|---|---:|---:|---:|")
    for name, limit in LIMITS.items():
        print(f"| {name} | {found[name]:.4g} | {limit} | {found[name] / limit:.2f} |")


if __name__ == "__main__":
    main()
