"""Writes the tables of the streams to docs/reference/continual.md.

The figures of a stream come out of the store where all its seeds are finished; a row that the store does not have stays
as it stands on the page, so that a part can be measured anew, on another day or machine, and nothing is lost. What a
stream costs comes out of a store of its own, in which all of them ran alone, one after another, under like conditions.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from sets import HERE

sys.path.insert(0, str(HERE.parent))

from real_data_page import table

from tianti.api import load_streams
from tianti.board.show import MISSING, interval_text, size_text
from tianti.board.streams import Stream
from tianti.core.exceptions import UnknownNameError
from tianti.study import Study

PAGE = HERE.parents[1] / "docs" / "reference" / "continual.md"
BEGIN, END = "<!-- measured by examples/continual/measure_streams.py -->", "<!-- end of what was measured -->"
HEAD = (
    "method", "strategy", "average", "backward", "forward", "forgets (first)", "forgets (best)", "less than plain",
    "learning", "seconds", "memory MB", "kept MB",
)  # fmt: skip
SECONDS, MEMORY = HEAD.index("seconds"), HEAD.index("memory MB")

Key: TypeAlias = tuple[str, str]
"""A method and a strategy, without their settings: each study has every pair of them once."""
Row: TypeAlias = tuple[str, ...]


def write_tables(
    page: Path, orders: Mapping[str, Sequence[Study]], store: Path, costs: Mapping[Key, Stream]
) -> None:
    """Replace what stands between the marks of `page` by a table for each of the `orders`, each with its studies."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    standing, _, after = rest.partition(END)
    found = "\n".join(section(studies, store, standing, costs) for studies in orders.values())
    page.write_text(f"{before}{BEGIN}\n\n{found}\n{END}{after}", encoding="utf-8")


def section(
    studies: Sequence[Study], store: Path, standing: str = "", costs: Mapping[Key, Stream] | None = None
) -> str:
    """The table of one order, a row for each strategy of each study."""
    heading = order_heading(studies[0])
    rows = standing_rows(standing, heading)
    for study in studies:
        rows |= {key(stream.method, stream.strategy): row(stream) for stream in finished(study, store)}
    wanted = [
        key(method, strategy)
        for study in studies
        for method in study.adaptations
        for strategy in study.strategies
    ]
    shown = [with_costs(rows[each], (costs or {}).get(each)) for each in wanted if each in rows]
    if not shown:
        return f"{heading}: not measured yet.\n"
    return f"{heading}, {Path(studies[0].models[0]).name}, {len(studies[0].seeds)} seeds:\n\n{table(HEAD, shown)}"


def order_heading(study: Study) -> str:
    """The tasks in their order, in bold."""
    return f"**{' → '.join(f'stream-{Path(task).stem}' for task in study.stream)}**"


def standing_rows(standing: str, heading: str) -> dict[Key, Row]:
    """The rows of the table below `heading` as they stand on the page."""
    _, _, below = standing.partition(heading)
    lines = below.partition("\n**")[0].splitlines()
    cells = [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| ")]
    return {key(*each[:2]): each for each in cells[2:]}


def finished(study: Study, store: Path) -> list[Stream]:
    """The streams of a study that all seeds have finished; none where it was not begun."""
    try:
        streams = load_streams(store, study.study)
    except UnknownNameError:
        return []
    return [stream for stream in streams if is_finished(stream, study)]


def is_finished(stream: Stream, study: Study) -> bool:
    """Whether every seed has answered every task after every stage."""
    return not stream.missing and len(stream.seeds) == len(study.seeds)


def key(method: str, strategy: str) -> Key:
    """What tells the rows of a table apart."""
    return method.partition("(")[0], strategy.partition("(")[0]


def row(stream: Stream) -> Row:
    """The figures of one stream; what it costs is filled in by `with_costs`."""
    figures = (
        stream.average, stream.backward, stream.forward, stream.forgetting_first, stream.forgetting_best,
        stream.less_forgotten, stream.learning,
    )  # fmt: skip
    shown = map(interval_text, figures)
    return (stream.method, stream.strategy, *shown, MISSING, MISSING, size_text(stream.kept_bytes))


def with_costs(cells: Row, cost: Stream | None) -> Row:
    """The row with the seconds and the memory of `cost`, and with none where those were not measured."""
    seconds = memory = MISSING
    if cost is not None and cost.training_seconds is not None:
        seconds, memory = f"{cost.training_seconds:,.0f}", size_text(cost.added_memory_bytes)
    return (*cells[:SECONDS], seconds, memory, *cells[MEMORY + 1 :])
