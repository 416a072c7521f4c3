"""What a board is: its entries and columns, the rules by which it was computed, who is first; and its JSON and name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from tianti.board.entries import AspectColumn, Cell, Column, Entry, Price, Source
from tianti.board.rounding import as_rounded, name_of, rounded
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats.intervals import NEW_ITEMS
from tianti.stats.ranks import RankMethod

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMAT = 4
"""Goes up when the JSON of a board changes its form."""

IntervalMethod = Literal["wilson", "clopper-pearson"]


@dataclass(frozen=True)
class Rules:
    """How a board is computed: the level of its intervals, what they are for shares of independent items, and how
    the ranks allow for many comparisons (max-T draws at random from `seed`). `watts` is the power of the machine that
    measured, as its owner states it.
    """

    level: float = 0.95
    intervals: IntervalMethod = "wilson"
    ranks: RankMethod = "holm"
    seed: int = 0
    target: str = NEW_ITEMS
    watts: float | None = None


@dataclass(frozen=True)
class Winner:
    """The entry in the first place. Its mean is the highest of `candidates`, so its plain interval is too good:
    `low` … `high` allows for its having been picked (`method`).

    Without `items` chosen samples `challenger` would be ahead; `exact` where fewer cannot do it. Both are None where
    no other could be.
    """

    entry: str
    mean: float
    low: float | None
    high: float | None
    method: str
    candidates: int
    items: int | None = None
    challenger: str | None = None
    exact: bool = False


@dataclass(frozen=True)
class Decided:
    """How a study ended that asks until its ranking is decided: entries are in order, or tied within `delta` points.

    Samples were asked in the random order of `order_seed`, whose sha256 is known; `asked` of the bank's `items` by the
    entry that was asked most, `answers` by all. `open` pairs of `pairs` are undecided; `tied` are within `delta`.
    """

    delta: float
    level: float
    order_seed: int
    order_sha256: str
    items: int
    asked: int
    answers: int
    pairs: int
    tied: int
    open: int


@dataclass(frozen=True)
class Board:
    """Ranked entries × tasks.

    `family` is the number of hypotheses that the rank intervals correct for. `left_out` counts finished runs
    that another run of the same cell (on more samples, or newer) stands in for.
    """

    title: str
    rules: Rules
    columns: tuple[Column, ...]
    entries: tuple[Entry, ...]
    family: int
    left_out: int = 0
    winner: Winner | None = None
    aspects: tuple[AspectColumn, ...] = ()
    """Further columns, of metrics that are no part of the mean or of a rank."""
    decided: Decided | None = None
    """Set on the board of a study that asked until its ranking was decided; the target is then the bank."""

    @property
    def level(self) -> float:
        """The level of all intervals."""
        return self.rules.level

    @cached_property
    def snapshot(self) -> str:
        """The sha256 of the board's content: two boards with this id are the same board."""
        return name_of([FORMAT, self])

    @property
    def counting(self) -> tuple[Column, ...]:
        """The tasks that make up the mean."""
        return tuple(column for column in self.columns if column.counts)

    def entry(self, name: str) -> Entry:
        """The entry of this name (`nano:llama · lora`) or id (`nano-llama-lora`).

        Raises:
            UnknownNameError: there is none; names the nearest.
        """
        for entry in self.entries:
            if name in (entry.name, entry.id):
                return entry
        raise UnknownNameError(
            "entry", name, [entry.name for entry in self.entries], remedy="`tianti board` lists the entries"
        )

    def measured(self, name: str) -> Entry:
        """The entry of this name or id, which has runs.

        Raises:
            UnknownNameError: there is none; names the nearest.
            InputError: it was read from the files of another program, so its model and prompts are not known here.
        """
        entry = self.entry(name)
        if entry.provenance == "imported":
            raise InputError(
                f"{entry.name} was imported, not measured here: it has no runs",
                remedy="run its model on a task, and use that row",
            )
        return entry

    def to_dict(self) -> dict[str, Any]:
        """The board as JSON-ready data; `snapshot` is its name."""
        return {**_content(self), "snapshot": self.snapshot}

    def to_json(self) -> str:
        """The board as JSON text that `from_json` reads."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Board:
        """Read a board that `to_json` wrote, or a part of one, which names the `whole` and has no id to be checked by.

        Raises:
            InputError: it is no board, or its content does not have the name that it bears.
        """
        try:
            content = json.loads(text)
            board = cls.from_dict(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"this is no board of format {FORMAT}: {error}") from error
        if "whole" not in content and board.snapshot != name_of([FORMAT, board]):
            raise InputError(
                "this board was changed after it was made: its content does not match its snapshot id"
            )
        return board

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Board:
        """The board that `to_dict` gave, which is trusted: its name is the one that it bears, if it is whole.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is no such content.
        """
        board = _board(content)
        if "whole" not in content:
            board.__dict__["snapshot"] = content["snapshot"]
        return board

    def to_arrow(self) -> pa.Table:
        """One row per entry and task."""
        from tianti.board.export import to_arrow

        return to_arrow(self)

    def to_pandas(self) -> pd.DataFrame:
        """One row per entry and task.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from tianti.board.export import to_pandas

        return to_pandas(self)

    def to_csv(self) -> str:
        """One line per entry and task; text that a spreadsheet would take for a formula is quoted."""
        from tianti.board.export import to_csv

        return to_csv(self)

    def __str__(self) -> str:
        """The table that `tianti board` prints, without colours."""
        from tianti.board.terminal import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from tianti.board.notebook import to_html

        return to_html(self)


def as_recorded(board: Board) -> Board:
    """`board` with its numbers rounded, equal to what reading its JSON gives."""
    found: Board = as_rounded(board)
    return found


def _content(board: Board) -> dict[str, Any]:
    content: dict[str, Any] = rounded(board)
    return {"format": FORMAT, **content}


def _board(content: Mapping[str, Any]) -> Board:
    if content["format"] != FORMAT:
        raise ValueError(f"it has format {content['format']}")
    return Board(
        title=content["title"],
        rules=Rules(**content["rules"]),
        columns=tuple(Column(**column) for column in content["columns"]),
        entries=tuple(_entry(entry) for entry in content["entries"]),
        family=content["family"],
        left_out=content["left_out"],
        winner=Winner(**content["winner"]) if content["winner"] else None,
        aspects=tuple(AspectColumn(**column) for column in content["aspects"]),
        decided=Decided(**content["decided"]) if content["decided"] else None,
    )


def _entry(content: Mapping[str, Any]) -> Entry:
    cells = {key: {name: _cell(cell) for name, cell in content[key].items()} for key in ("cells", "aspects")}
    return Entry(**{**content, **cells, "price": Price(**content["price"])})


def _cell(content: Mapping[str, Any]) -> Cell:
    tuples = {key: tuple(content[key]) for key in ("seeds", "by_seed", "run_ids")}
    sources = tuple(Source(**source) for source in content["sources"])
    return Cell(**{**content, **tuples, "sources": sources})
