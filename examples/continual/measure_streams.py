"""Runs the streams of real tasks and writes their table to docs/reference/continual.md.

    python examples/continual/measure_streams.py [--data DATA] [--order ORDER] [--method METHOD] [--write] [--small]

It takes {COST}: what is finished is found and not run again. `--order` and `--method` run a part, so that several
can run at once; `--write` runs nothing, and writes what is finished to the page, as a whole run does at its end.
`--small` takes a few examples of two tasks the same way, with one order, method and seed and three strategies, and
writes no page: {SMALL_COST}.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sets import HERE, write_sets

sys.path.insert(0, str(HERE.parent))

from prepare import DATA, WORK, sentence_encoder
from real_data_page import table
from rich.console import Console

import tianti
from tianti.api import load_streams
from tianti.board.streams import Stream
from tianti.board.terminal_streams import interval_text, render_streams, size_text
from tianti.cli.progress import TerminalProgress
from tianti.core.exceptions import UnknownNameError
from tianti.study import Study, read_study, study_of

COST = "some hours on two cores, and 50 GB"
SMALL_COST = "half a minute on two cores, and 15 MB"
ORDERS = ("news-first", "films-first")
METHODS = ("full", "lora")
"""A study for each of both: strengths are chosen for each method."""
PAGE = HERE.parents[1] / "docs" / "reference" / "continual.md"
BEGIN, END = "<!-- measured by examples/continual/measure_streams.py -->", "<!-- end of what was measured -->"
HEAD = (
    "method", "strategy", "average", "backward", "forward", "forgets (first)", "forgets (best)", "less than plain",
    "learning", "seconds", "memory MB", "kept MB",
)  # fmt: skip


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").format(COST=COST, SMALL_COST=SMALL_COST),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real data")
    parser.add_argument("--order", choices=ORDERS, help="this order alone")
    parser.add_argument("--method", choices=METHODS, help="this method alone")
    parser.add_argument(
        "--write", action="store_true", help="run nothing, and write what is finished to the page"
    )
    parser.add_argument("--small", action="store_true", help=f"a few examples of two tasks: {SMALL_COST}")
    given = parser.parse_args(arguments)
    if given.write:
        return write_tables(PAGE, WORK / "store-stream")
    if not given.data.is_dir():
        sys.exit(f"no real data in {given.data}; name its folder with --data")
    print(f"This takes {SMALL_COST if given.small else COST}, in {WORK}.")
    WORK.mkdir(parents=True, exist_ok=True)
    write_sets(given.data / "continual_olora", WORK / "stream")
    sentence_encoder(WORK)
    store = WORK / ("store-stream-small" if given.small else "store-stream")
    orders, methods = (ORDERS[:1], ("lora",)) if given.small else (ORDERS, METHODS)
    for order in orders if given.order is None else (given.order,):
        for method in methods if given.method is None else (given.method,):
            study = read(order, method)
            tianti.run(shrunk(study) if given.small else study, store=store, progress=TerminalProgress())
            Console().print(render_streams(load_streams(store, study.study)))
    if not given.small and given.order is given.method is None:
        write_tables(PAGE, store)
    return None


def read(order: str, method: str) -> Study:
    """The study of one order and one method."""
    return read_study(HERE / f"{order}-{method}.yaml")


def shrunk(study: Study) -> Study:
    """The same study on a few samples of its first two tasks, trained on a few examples with one seed."""
    changes = {
        "limit": 4,
        "adaptations": [f"{text[:-1]}, max_examples=16)" for text in study.adaptations],
        "seeds": study.seeds[:1],
        "stream": study.stream[:2],
        "tasks": study.stream[:2],
        "strategies": ("plain", "joint", "replay"),
    }
    return study_of(**(study.model_dump() | changes))


def write_tables(page: Path, store: Path) -> None:
    """Replace what stands between the marks of `page` by a table for each order, of what is finished."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    found = "\n".join(section(order, store) for order in ORDERS)
    page.write_text(f"{before}{BEGIN}\n\n{found}\n{END}{after}", encoding="utf-8")


def section(order: str, store: Path) -> str:
    """The table of one order: of the streams that all seeds have finished, and of no others."""
    finished = [stream for method in METHODS for stream in finished_streams(read(order, method), store)]
    return measured(finished) if finished else f"**{order}**: not measured yet.\n"


def finished_streams(study: Study, store: Path) -> list[Stream]:
    """The streams of a study that are finished; none where it was not begun."""
    try:
        streams = load_streams(store, study.study)
    except UnknownNameError:
        return []
    return [stream for stream in streams if is_finished(stream, study)]


def is_finished(stream: Stream, study: Study) -> bool:
    """Whether every seed has answered every task after every stage."""
    return not stream.missing and len(stream.seeds) == len(study.seeds)


def measured(streams: Sequence[Stream]) -> str:
    """The table of one order."""
    rows = [
        (
            stream.method,
            stream.strategy,
            *(
                interval_text(figure)
                for figure in (
                    stream.average, stream.backward, stream.forward, stream.forgetting_first, stream.forgetting_best,
                    stream.less_forgotten, stream.learning,
                )
            ),
            f"{stream.training_seconds:,.0f}",
            size_text(stream.added_memory_bytes),
            size_text(stream.kept_bytes),
        )
        for stream in streams
    ]  # fmt: skip
    order = " → ".join(streams[0].tasks)
    seeds = len(streams[0].seeds)
    return f"**{order}**, {streams[0].model}, {seeds} seeds:\n\n{table(HEAD, rows)}"


if __name__ == "__main__":
    main(sys.argv[1:])
