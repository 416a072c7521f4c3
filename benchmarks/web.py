"""What the site costs: a page from the cache, requests a second, a cold start, an export. Each against its bar.

    python benchmarks/web.py [--entries 5000] [--tasks 100] [--cells 5] [--runs 200] [--seconds 5] [--only page,…]

page    CPU milliseconds of a page that is in the cache, through the whole application, gzip accepted
rate    requests a second and the 99th percentile with wrk over loopback (apt-get install wrk), for `--seconds` a page
start   CPU seconds of `tianti web` until its first page, on a store of `--entries` models with `--cells` scores each
        on `--tasks` tasks, imported; and on a store of `--runs` measured runs, whose answers have to be read: the first
        one, and one that finds the board kept
export  CPU seconds of the pages of all those models, in both languages, written to files

CPU seconds count; wall seconds stand beside them, and mean little on a machine that does other work. The exit status is
0 also where a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tianti.board.importers.add import import_files
from tianti.board.snapshot import take_snapshot
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import Store
from tianti.web.app import make_app
from tianti.web.export import file_of
from tianti.web.pages import model as model_page
from tianti.web.site import Site
from tianti.web.words import LANGUAGES

BARS = {"page": 5.0, "start": 2.0, "export": 20.0}
"""CPU milliseconds of a page, CPU seconds of a start, CPU seconds of the pages of 5,000 models in both languages."""
BAR_MODELS = 5000
REQUESTS = 300
CONNECTIONS = 16


@dataclass(frozen=True)
class Sizes:
    """How much there is to show."""

    entries: int
    tasks: int
    cells: int
    runs: int
    seconds: int


def imported_store(folder: Path, sizes: Sizes) -> Path:
    """Models with a few scores each, read from a file in the form of MTEB; made once."""
    if (folder / "imported").exists():
        return folder / "imported"
    random = np.random.default_rng(0)
    lines = ["model,task,split,hf_subset,main_score"]
    for model in range(sizes.entries):
        for task in random.choice(sizes.tasks, sizes.cells, replace=False):
            lines.append(f"org/model-{model},Task{task},test,default,{random.random():.4f}")
    file = folder / "scores.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Store(folder / "imported") as store:
        import_files(store, [file])
    return folder / "imported"


def measured_store(folder: Path, sizes: Sizes) -> Path:
    """Runs of 100 answers each, as if as many models had been measured on five tasks."""
    random = np.random.default_rng(1)
    with Store(folder / "measured") as store:
        for number in range(sizes.runs):
            model, task = f"model-{number // 5}", f"task-{number % 5}"
            run = store.start_run(f"{number:064d}", _manifest(model, task), {"cores": 2})
            right = random.random(100) < 0.7
            answers = [
                Answer(
                    str(i),
                    0,
                    "ok",
                    f"Is it {i}?",
                    "yes",
                    "yes" if r else "no",
                    values={"acc": float(r)},
                    position=i,
                )
                for i, r in enumerate(right)
            ]
            store.append(run.run_id, answers)
            value = float(right.mean())
            score = Score(
                "acc", value, value - 0.1, value + 0.1, 0.95, "Wilson", 100, None, "new items", 0, 0, 0.5, True,
                "proportion", True,
            )  # fmt: skip
            store.finish_run(run.run_id, [score], {"evaluation_seconds": 1.0}, 100)
    return folder / "measured"


def _manifest(model: str, task: str) -> dict[str, Any]:
    metric = {"name": "acc", "higher_is_better": True, "chance": 0.5, "scale": "proportion"}
    return {
        "manifest_version": 1,
        "model": {
            "name": model, "reference": model, "source": "folder", "architecture": "causal", "fingerprint": model,
            "revision": None, "parameters": 1_000_000,
        },
        "adaptation": {"name": "zero-shot", "label": "zero-shot", "settings": {}},
        "task": {
            "name": task, "reference": task, "include": [], "kind": "choice", "language": "en", "split": "test",
            "version": "1", "fingerprint": task, "metrics": [metric],
        },
        "seed": None,
        "limit": None,
        "engine": {"dtype": "auto"},
    }  # fmt: skip


def pages_of(site: Site) -> dict[str, str]:
    """One address of each kind whose size depends on the board."""
    view = site.views[0]
    return {
        "board": f"en/b/{view.slug}/",
        "model": f"en/m/{next(iter(view.models.values()))}/",
        "task": f"en/t/{next(iter(view.tasks.values()))}/",
        "api": "api/v1/index.json",
    }


def measure_page(folder: Path, sizes: Sizes) -> Iterator[tuple[str, float, float, float | None]]:
    with Store(imported_store(folder, sizes)) as store:
        snapshot = take_snapshot(store)
        addresses = pages_of(Site(snapshot, store))
        app = make_app(snapshot, store)
        for name, address in addresses.items():
            asyncio.run(_ask(app, address, 1))
            began, cpu = time.perf_counter(), time.process_time()
            asyncio.run(_ask(app, address, REQUESTS))
            spent, wall = time.process_time() - cpu, time.perf_counter() - began
            yield f"page: {name}", 1000 * spent / REQUESTS, 1000 * wall / REQUESTS, BARS["page"]


async def _ask(app: Any, address: str, times: int) -> None:
    """Requests without a network."""
    scope = {
        "type": "http", "method": "GET", "path": f"/{address}", "raw_path": f"/{address}".encode(), "query_string": b"",
        "root_path": "", "headers": [(b"accept-encoding", b"gzip")], "scheme": "http", "http_version": "1.1",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message.get("status"))

    for _ in range(times):
        await app(dict(scope), receive, send)
    if {status for status in said if status} != {200}:
        raise SystemExit(f"{address} was answered with {set(said)}")


@contextmanager
def served(store: Path, cache: Path) -> Iterator[tuple[str, float, float]]:
    """`tianti web` on a store, its boards kept in `cache`: its address, CPU and wall seconds to the first page."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "tianti", "web", "--port", "0", "--no-refresh", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment(cache)) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise SystemExit("tianti web did not start")
            urllib.request.urlopen(f"{found[0]}en/", timeout=60).read()
            wall = time.perf_counter() - began
            times = psutil.Process(process.pid).cpu_times()
            yield found[0], times.user + times.system, wall
        finally:
            process.terminate()


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "TIANTI_CACHE": str(cache)}


def measure_rate(folder: Path, sizes: Sizes) -> Iterator[tuple[str, float, float, float | None]]:
    if shutil.which("wrk") is None:
        print("rate was left out: there is no wrk here (apt-get install wrk)", file=sys.stderr)
        return
    path = imported_store(folder, sizes)
    with Store(path) as store:
        addresses = pages_of(Site(take_snapshot(store), store))
    with served(path, folder / "cache") as (root, _, _):
        for name, address in addresses.items():
            urllib.request.urlopen(root + address, timeout=60).read()
            load = [f"-c{CONNECTIONS}", f"-d{sizes.seconds}s", "--latency", "-H", "Accept-Encoding: gzip"]
            command = ["wrk", "-t1", *load, root + address]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
            at_99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
            assert at_99 is not None
            p99 = float(at_99[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[at_99[2]]
            yield f"rate: {name}: {rate:,.0f} a second; p99 (ms)", p99, p99, None


def measure_start(folder: Path, sizes: Sizes) -> Iterator[tuple[str, float, float, float | None]]:
    for name, make in (("imported", imported_store), ("measured", measured_store)):
        store = make(folder, sizes)
        for which in ("first", "again"):
            with served(store, folder / f"cache-{name}") as (_, cpu, wall):
                yield f"start: {name}, {which}", cpu, wall, BARS["start"]


def measure_export(folder: Path, sizes: Sizes) -> Iterator[tuple[str, float, float, float | None]]:
    with Store(imported_store(folder, sizes)) as store:
        site = Site(take_snapshot(store), store, leaf="index.html")
        began, cpu, count = time.perf_counter(), time.process_time(), 0
        for keys in model_page.every(site):
            for language in LANGUAGES:
                address = f"{language}/{model_page.PAGE.address.of(keys)}"
                path = folder / "site" / file_of(address)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(str(site.render(address)[0]).encode())
                count += 1
        spent, wall = time.process_time() - cpu, time.perf_counter() - began
        yield f"export: {count:,} pages of models", spent, wall, BARS["export"] * sizes.entries / BAR_MODELS


MEASURES: dict[str, Callable[[Path, Sizes], Iterator[tuple[str, float, float, float | None]]]] = {
    "page": measure_page,
    "rate": measure_rate,
    "start": measure_start,
    "export": measure_export,
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, usual in (("entries", 5000), ("tasks", 100), ("cells", 5), ("runs", 200), ("seconds", 5)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(MEASURES))
    given = parser.parse_args(arguments)
    sizes = Sizes(given.entries, given.tasks, given.cells, given.runs, given.seconds)
    print("| What | CPU (page: ms, else s) | Wall | Bar | Bar / CPU |")
    print("| --- | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory(prefix="tianti-web-") as folder:
        for name in given.only:
            for what, cpu, wall, bar in MEASURES[name](Path(folder), sizes):
                against = "– | –" if bar is None else f"{bar:g} | {bar / cpu:.1f}"
                print(
                    f"| {what} | {'–' if bar is None else f'{cpu:.3g}'} | {wall:.3g} | {against} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
