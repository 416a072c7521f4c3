"""How long a user waits before something happens, each time as a process of its own.

    python benchmarks/startup.py [--repeat 5] [--only help,answer,index]

help    `tianti --help`, from start to end
answer  `tianti run nano:llama --task nano/sentiment`, from start until the first answers are in the store
index   `tianti tasks list --harness arc` where another process built the index of lm-eval's tasks

The median of the repeats stands against the limit. The exit status is 0 also where a limit is missed.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

LIMITS = {"help": 0.3, "answer": 5.0, "index": 1.0}
"""Seconds."""
LOOK = 0.01
"""Seconds between two looks into the store: what the time to the first answer is measured to."""


def measure_help(folder: Path) -> float:
    return _whole_process("--help")


def measure_answer(folder: Path) -> float:
    """Each run has a new store; the run is then left to end, so that the next one has the machine for itself."""
    store = Path(tempfile.mkdtemp(dir=folder))
    started = time.perf_counter()
    process = _start("run", "nano:llama", "--task", "nano/sentiment", "--store", str(store))
    while not _answers(store / "tianti.sqlite"):
        if process.poll() is not None:
            raise SystemExit("tianti run ended without an answer")
        time.sleep(LOOK)
    seconds = time.perf_counter() - started
    _end(process)
    return seconds


def measure_index(folder: Path) -> float:
    """The index lies in `folder`; where it does not yet, a first process builds it, and no later one does again."""
    os.environ["TIANTI_CACHE"] = str(folder / "cache")
    arguments = ("tasks", "list", "--harness", "arc")
    if not (folder / "cache").exists():
        print(f"index was built in {_whole_process(*arguments):.2f} s", file=sys.stderr)
    before = _index(folder / "cache")
    seconds = _whole_process(*arguments)
    if _index(folder / "cache") != before:
        raise SystemExit("the index was built a second time")
    return seconds


MEASURES: dict[str, Callable[[Path], float]] = {
    "help": measure_help,
    "answer": measure_answer,
    "index": measure_index,
}


def _answers(database: Path) -> int:
    """How many answers are durable in a store that another process is writing."""
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute("SELECT max(answers_count) FROM run").fetchone()
    except sqlite3.OperationalError:  # its tables are being made
        return 0
    return count or 0


def _index(folder: Path) -> list[tuple[str, int]]:
    return [(path.name, path.stat().st_mtime_ns) for path in sorted(folder.iterdir())]


def _whole_process(*arguments: str) -> float:
    started = time.perf_counter()
    _end(_start(*arguments))
    return time.perf_counter() - started


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tianti", *arguments], stdout=subprocess.DEVNULL)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.wait():
        raise SystemExit(f"{' '.join(map(str, process.args))} failed")  # type: ignore[arg-type]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(MEASURES))
    given = parser.parse_args(arguments)
    print("| | median s | least | most | limit s | |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="tianti-startup-") as folder:
        for name in given.only:
            seconds = [MEASURES[name](Path(folder)) for _ in range(given.repeat)]
            kept = "within" if median(seconds) <= LIMITS[name] else "MISSED"
            print(
                f"| {name} | {median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} "
                f"| {LIMITS[name]:.1f} | {kept} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
