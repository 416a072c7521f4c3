"""What stands on a board: columns (tasks), entries (models under adaptations) and their cells. Plain data, frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from tianti.stats.intervals import NEW_ITEMS
from tianti.tasks.metrics import is_signed

Exclusion = Literal["", "ratio", "lower", "chance", "range", "fresh", "unanswered", "aspect", "reported"]
"""Why a task is no part of the mean: its metric is no mean over items, lower is better, its chance level is
not in [0, 1), or its values are not in [0, 1]; `fresh` for fresh samples of a task that is there already;
`unanswered` where no entry has a score on it and some have on another; `aspect` for a further metric of a task that has
a ranking one; `reported` for published figures. Empty where it is part of it."""

CellState = Literal["ok", "running", "failed", "empty"]

Provenance = Literal["measured", "verified", "imported", "reported"]
"""Measured here; that, and run again with the same result; read from the records of another program; or a figure
that somebody published."""


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

    @property
    def signed(self) -> bool:
        """Whether 0 is best, whatever `higher_is_better` says: what is compared then is the distance from it."""
        return is_signed(self.metric)

    def goodness(self, value: float) -> float:
        """The larger, the better."""
        return -abs(value) if self.signed else value if self.higher_is_better else -value


@dataclass(frozen=True)
class AspectColumn(Column):
    """A further metric of a task, named `task · metric`: never part of the mean, never ranked."""

    task: str = ""
    aspect: str = ""


@dataclass(frozen=True)
class Source:
    """Where a figure was published: `value` on the `split` that the text names, cited, and in which text it was read
    (`primary`: the authors' own; `quoted`: another one, `quoted_in` where that is known)."""

    value: float
    split: str
    citation: str
    url: str
    status: str
    quoted_in: str = ""
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """An entry on a task: the mean of the metric over items, each averaged over seeds and repeats first.

    `state`: `ok` has a value; `empty` was measured, but no answer could be scored; `running` and `failed`
    have no finished run. A cell with a value may have a `reason` too: that of another seed that failed.
    `target` says of what `low` … `high` is an interval; `n` items, in `clusters` where they depend on each other,
    each with at least `repeats` answers (seeds and repeats), which are averaged first. `n`, `errors` and `skipped` are
    None where nobody counted, or the file that it was imported from does not say.
    `rank_low` … `rank_high` is the simultaneous interval of ranks on this task; None where no test fits the
    metric.
    """

    task: str
    state: CellState
    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    n: int | None = None
    clusters: int | None = None
    repeats: int = 1
    target: str = NEW_ITEMS
    normalised: float | None = None
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    seeds: tuple[int | None, ...] = ()
    by_seed: tuple[float | None, ...] = ()
    errors: int | None = None
    skipped: int | None = None
    run_ids: tuple[str, ...] = ()
    reason: str = ""
    overlap: str = ""
    """What of the test items stands in the training data of its runs; empty where nothing was found."""
    templates: Mapping[str, float] = field(default_factory=dict)
    """The score under each template over the seeds, with `lowest`, `highest` and `sd`, where all were asked."""
    sources: tuple[Source, ...] = ()
    """Of a reported cell: every published figure. Where they differ the cell has no one `value`."""


@dataclass(frozen=True)
class Price:
    """What an entry took, per seed, summed over its tasks: trained parameters (the most of any task),
    training and evaluation time in seconds, tokens, and examples to learn from. 0 is a figure: nothing was trained.
    What nobody stated is None, as all is of what was imported. `watt_hours` is all its seconds at the power that the
    board's rules state; None where they state none, for nothing measures it."""

    trainable_parameters: int | None = None
    training_seconds: float | None = None
    evaluation_seconds: float | None = None
    training_tokens: int | None = None
    evaluation_tokens: int | None = None
    training_examples: int | None = None
    watt_hours: float | None = None

    @property
    def seconds(self) -> float | None:
        """Of training and evaluation together."""
        return known_sum([self.training_seconds, self.evaluation_seconds])

    @property
    def tokens(self) -> int | None:
        """Of training and evaluation together."""
        return known_sum([self.training_tokens, self.evaluation_tokens])


_Number = TypeVar("_Number", int, float)


def known_sum(values: Sequence[_Number | None]) -> _Number | None:
    """The sum; None where one of them is not known, or there is none."""
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


@dataclass(frozen=True)
class Entry:
    """A row: a model under an adaptation.

    `mean` is the macro-average of normalised values over the counting tasks that it has, with its interval
    (`interval_method`, `target`); it rests on `n` items, in `clusters` where they depend on each other, each with
    at least `repeats` answers; `n` is None where they are not known.
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
    n: int | None = None
    clusters: int | None = None
    repeats: int = 1
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    marginal_low: int | None = None
    marginal_high: int | None = None
    band: int | None = None
    price: Price = field(default_factory=Price)
    provenance: Provenance = "measured"
    stated: Mapping[str, str] = field(default_factory=dict)
    """What the file that it was imported from says of the model beside its scores: its licence, its kind, …"""
