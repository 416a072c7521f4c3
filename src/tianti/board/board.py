"""What a board is: columns (tasks), entries (models under adaptations) and their cells. Plain data, frozen.

Numbers are rounded to ten significant digits when a board is made, so that the last bits of one machine's
arithmetic change neither its JSON nor its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from tianti.core.exceptions import InputError, UnknownNameError
from tianti.core.fingerprint import fingerprint
from tianti.stats.intervals import NEW_ITEMS
from tianti.stats.ranks import RankMethod

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMAT = 2
"""Goes up when the JSON of a board changes its form."""

Exclusion = Literal["", "ratio", "lower", "chance", "range", "fresh", "aspect"]
"""Why a task is no part of the mean: its metric is no mean over items, lower is better, its chance level is
not in [0, 1), or its values are not in [0, 1]; `fresh` for fresh samples of a task that is there already; `aspect`
for a further metric of a task that has a ranking one. Empty where it is part of it."""

IntervalMethod = Literal["wilson", "clopper-pearson"]

CellState = Literal["ok", "running", "failed", "empty"]


@dataclass(frozen=True)
class Column:
    """A task as the board shows it. `name` is unique on the board.

    `better` counts the pairs of entries of which one is shown to be better on this task, out of `pairs`.
    """

    name: str
    kind: str
    language: str
    split: str
    version: str
    fingerprint: str
    limit: int | None
    metric: str
    chance: float | None
    higher_is_better: bool
    scale: str
    excluded: Exclusion = ""
    better: int = 0
    pairs: int = 0

    @property
    def counts(self) -> bool:
        """Whether the task is part of the mean."""
        return not self.excluded


@dataclass(frozen=True)
class AspectColumn(Column):
    """A further metric of a task, named `task · metric`: never part of the mean, never ranked."""

    task: str = ""
    aspect: str = ""


@dataclass(frozen=True)
class Cell:
    """An entry on a task: the mean of the metric over items, each averaged over seeds and repeats first.

    `state`: `ok` has a value; `empty` was measured, but no answer could be scored; `running` and `failed`
    have no finished run. A cell with a value may have a `reason` too: that of another seed that failed.
    `target` says of what `low` … `high` is an interval; `n` items, in `clusters` where they depend on each other,
    each with at least `repeats` answers (seeds and repeats), which are averaged first.
    `rank_low` … `rank_high` is the simultaneous interval of ranks on this task; None where no test fits the
    metric.
    """

    task: str
    state: CellState
    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    n: int = 0
    clusters: int | None = None
    repeats: int = 1
    target: str = NEW_ITEMS
    normalised: float | None = None
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    seeds: tuple[int | None, ...] = ()
    by_seed: tuple[float | None, ...] = ()
    errors: int = 0
    skipped: int = 0
    run_ids: tuple[str, ...] = ()
    reason: str = ""
    overlap: str = ""
    """What of the test items stands in the training data of its runs; empty where nothing was found."""
    templates: Mapping[str, float] = field(default_factory=dict)
    """The score under each template over the seeds, with `lowest`, `highest` and `sd`, where all were asked."""


@dataclass(frozen=True)
class Price:
    """What an entry took, per seed, summed over its tasks: trained parameters (the most of any task),
    training and
    evaluation time in seconds, and tokens."""

    trainable_parameters: int = 0
    training_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    training_tokens: int = 0
    evaluation_tokens: int = 0


@dataclass(frozen=True)
class Entry:
    """A row: a model under an adaptation.

    `mean` is the macro-average of normalised values over the counting tasks that it has, with its interval
    (`interval_method`, `target`); it rests on `n` items, in `clusters` where they depend on each other, each with
    at least `repeats` answers.
    `complete` entries have all of them and are ranked; the others have `rank` None, for their means are not
    of the same tasks. `rank_low` … `rank_high` holds the true rank, for all entries at once, with the board's
    level; `marginal_low` … `marginal_high` holds it for this entry alone, and is right for an entry that one had in
    mind before looking.
    """

    id: str
    name: str
    model: str
    model_fingerprint: str
    model_source: str
    architecture: str
    parameters: int | None
    adaptation: str
    method: str
    """The adaptation without its settings: `lora`, `few-shot`."""
    cells: Mapping[str, Cell]
    aspects: Mapping[str, Cell] = field(default_factory=dict)
    """The cells of the further metrics, by the names of their columns."""
    tasks_done: int = 0
    complete: bool = False
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    interval_method: str = ""
    target: str = ""
    n: int = 0
    clusters: int | None = None
    repeats: int = 1
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    marginal_low: int | None = None
    marginal_high: int | None = None
    band: int | None = None
    price: Price = field(default_factory=Price)
    provenance: Literal["measured"] = "measured"


@dataclass(frozen=True)
class Rules:
    """How a board is computed: the level of its intervals, what they are for shares of independent items, and how
    the ranks allow for many comparisons (max-T draws at random from `seed`).
    """

    level: float = 0.95
    intervals: IntervalMethod = "wilson"
    ranks: RankMethod = "holm"
    seed: int = 0
    target: str = NEW_ITEMS


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
        return fingerprint(_content(self))

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

    def to_dict(self) -> dict[str, Any]:
        """The board as JSON-ready data; `snapshot` is its name."""
        return {**_content(self), "snapshot": self.snapshot}

    def to_json(self) -> str:
        """The board as JSON text that `from_json` reads."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Board:
        """Read a board that `to_json` wrote.

        Raises:
            InputError: it is no board, or its content does not have the name that it bears.
        """
        try:
            content = json.loads(text)
            board = _board(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"this is no board of format {FORMAT}: {error}") from error
        if board.snapshot != content.get("snapshot"):
            raise InputError(
                "this board was changed after it was made: its content does not match its snapshot id"
            )
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
    return _board(_content(board))


def rounded(value: Any) -> Any:
    """`value` with every float in it rounded to ten significant digits."""
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def _content(board: Board) -> dict[str, Any]:
    content: dict[str, Any] = rounded(asdict(board))
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
    return Cell(**{**content, **tuples})
