"""Runs the streams of real tasks and writes their table to docs/reference/continual.md.

    python examples/continual/measure_streams.py [--data DATA] [--order ORDER] [--method METHOD] [--costs] [--write]
    python examples/continual/measure_streams.py --small

It takes {COST}: what is finished is found and not run again. `--order` and `--method` run a part, so that several
can run at once; `--write` runs nothing, and writes what is finished to the page, as a whole run does at its end.
`--costs` takes the seconds and the memory of every strategy: one order, one seed, {COSTED_ROWS} rows of each task, in
{COSTS_COST}, with which nothing else should share the machine (but another method, on another core).
`--small` takes a few examples of two tasks the same way, with one order, method and seed and three strategies, and
writes no page: {SMALL_COST}.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sets import HERE, write_sets

sys.path.insert(0, str(HERE.parent))

from prepare import DATA, WORK, sentence_encoder
from rich.console import Console
from streams_page import PAGE, finished, key, write_tables

import tianti
from tianti.api import load_streams
from tianti.board.terminal_streams import render_streams
from tianti.cli.progress import TerminalProgress
from tianti.study import Study, read_study, study_of

COST = "some hours on two cores, and 50 GB"
COSTS_COST = "a quarter of an hour on two cores, and 5 GB"
SMALL_COST = "half a minute on two cores, and 15 MB"
ORDERS = ("news-first", "films-first")
METHODS = ("full", "lora")
"""A study for each of both: strengths are chosen for each method."""
COSTED, COSTED_ROWS, COSTED_SAMPLES = ORDERS[0], 120, 40
"""The order whose costs are taken; how many rows of each task it learns for that, and from how many of them Fisher
information is taken: a fifth of both, so that what it costs beside the rest is as in the whole stream."""
STORES = {"all": "store-stream", "costs": "store-stream-costs", "small": "store-stream-small"}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").format(
            COST=COST, COSTS_COST=COSTS_COST, COSTED_ROWS=COSTED_ROWS, SMALL_COST=SMALL_COST
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real data")
    parser.add_argument("--order", choices=ORDERS, help="this order alone")
    parser.add_argument("--method", choices=METHODS, help="this method alone")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--write", action="store_true", help="run nothing, and write what is finished to the page"
    )
    what.add_argument("--costs", action="store_true", help=f"seconds and memory alone: {COSTS_COST}")
    what.add_argument("--small", action="store_true", help=f"a few examples of two tasks: {SMALL_COST}")
    given = parser.parse_args(arguments)
    if given.write:
        return write_page(PAGE)
    if not given.data.is_dir():
        sys.exit(f"no real data in {given.data}; name its folder with --data")
    kind, cost = (
        ("small", SMALL_COST) if given.small else ("costs", COSTS_COST) if given.costs else ("all", COST)
    )
    print(f"This takes {cost}, in {WORK}.")
    WORK.mkdir(parents=True, exist_ok=True)
    write_sets(given.data / "continual_olora", WORK / "stream")
    sentence_encoder(WORK)
    for order in (given.order,) if given.order else ORDERS if kind == "all" else (COSTED,):
        for method in (given.method,) if given.method else ("lora",) if kind == "small" else METHODS:
            run(STUDIES[kind](read(order, method)), WORK / STORES[kind])
    if kind == "all" and given.order is given.method is None:
        write_page(PAGE)
    return None


def run(study: Study, store: Path) -> None:
    """Run a study and print its streams."""
    tianti.run(study, store=store, progress=TerminalProgress())
    Console().print(render_streams(load_streams(store, study.study)))


def read(order: str, method: str) -> Study:
    """The study of one order and one method."""
    return read_study(HERE / f"{order}-{method}.yaml")


def shrunk(study: Study) -> Study:
    """The same study on a few samples of its first two tasks, trained on a few examples with one seed."""
    tasks = study.stream[:2]
    return _changed(study, examples=16, stream=tasks, tasks=tasks, strategies=("plain", "joint", "replay"))


def costing(study: Study) -> Study:
    """The same study with fewer rows and one seed, and hardly anything asked: for what training costs."""
    strategies = tuple(_sampling(text) if "ewc" in text else text for text in study.strategies)
    return _changed(study, examples=COSTED_ROWS, strategies=strategies)


def _sampling(strategy: str) -> str:
    name, _, settings = strategy.rstrip(")").partition("(")
    return f"{name}({settings}{', ' if settings else ''}samples={COSTED_SAMPLES})"


def _changed(study: Study, *, examples: int, **changes: Any) -> Study:
    """The study with one seed, four samples of each task and so many examples of each to learn from."""
    adaptations = [f"{text[:-1]}, max_examples={examples})" for text in study.adaptations]
    few = {"limit": 4, "seeds": study.seeds[:1], "adaptations": adaptations}
    return study_of(**(study.model_dump() | few | changes))


STUDIES = {"all": lambda study: study, "costs": costing, "small": shrunk}


def write_page(page: Path) -> None:
    """Write the tables of what is finished, with what it costs."""
    orders = {order: [read(order, method) for method in METHODS] for order in ORDERS}
    costs = {
        key(stream.method, stream.strategy): stream
        for study in map(costing, orders[COSTED])
        for stream in finished(study, WORK / STORES["costs"])
    }
    write_tables(page, orders, WORK / STORES["all"], costs)


if __name__ == "__main__":
    main(sys.argv[1:])
