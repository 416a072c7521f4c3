"""The version before and the new one on every task, on the same samples, and whether the new one may take its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tianti.board.cells import average
from tianti.board.compare import paired_items
from tianti.board.results import Items, Result, read_result
from tianti.board.rounding import rounded
from tianti.core.exceptions import InputError
from tianti.stats import paired_difference
from tianti.store import Store

LEVEL = 0.95
Role = Literal["old", "new examples", "new"]


@dataclass(frozen=True)
class Rules:
    """When a new version is promoted: no task falls by more than `margin`, in points (per cent of the old value where
    the metric is no share).

    `by` estimate looks at the measured fall; by `bound` the whole interval of the fall must lie within the margin.
    `must_learn` also asks that the task that was taught is shown to have gained: its interval lies above 0.
    """

    margin: float = 2.0
    by: Literal["estimate", "bound"] = "estimate"
    must_learn: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 100:
            raise InputError(
                f"margin: expected points from 0 to 100, got {self.margin:g}", remedy="2 is usual"
            )
        if self.by not in ("estimate", "bound"):
            raise InputError(f"by: expected estimate or bound, got {self.by!r}", remedy="estimate is usual")


@dataclass(frozen=True)
class Change:
    """A task before and after, on the `n` samples that both versions answered; each seed's values averaged first.

    `gain` is after minus before in favour of the new version (a smaller error is a gain), `low` … `high` its paired
    95 % interval; in points where `unit` is points, else in per cent of the value before. They are None where the
    version before had no answer, and `low` and `high` where the metric is no mean over samples. `unchanged`: the same
    runs answer in both versions, so there is nothing to differ.
    """

    task: str
    role: Role
    before: float | None
    after: float | None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: Literal["points", "%"] = "points"
    unchanged: bool = False

    def fall(self, by: str) -> float | None:
        """By how much it falls, at most if `by` is bound."""
        if self.gain is None:
            return None
        return -(self.low if by == "bound" and self.low is not None else self.gain)


def compare_runs(store: Store, task: str, role: Role, before: Sequence[str], after: Sequence[str]) -> Change:
    """The change between these runs of one task; `before` is empty where the old version has no answer."""
    new = [read_result(store, store.run(run)) for run in after]
    old = new if list(before) == list(after) else [read_result(store, store.run(run)) for run in before]
    values = _score(old), _score(new)
    if values[0] is None or values[1] is None:
        return Change(task, role, *values)
    if old is new:
        return Change(task, role, *values, 0.0, 0.0, 0.0, unchanged=True, n=_count(new))
    sign = 1.0 if new[0].metric["higher_is_better"] else -1.0
    share = new[0].metric["higher_is_better"] and all(
        0 <= value <= 1 for value in values if value is not None
    )
    items = _items(old), _items(new)
    found = None
    if items[0] is not None and items[1] is not None:
        pair = paired_items(items[1], items[0])
        found = paired_difference([pair], level=LEVEL, normalised=False)
        values = float(pair.second.mean()), float(pair.first.mean())
    gap = found.interval.estimate if found else values[1] - values[0]  # type: ignore[operator]
    scale = 100.0 if share else 100.0 / abs(values[0] or 1.0)
    bounds = (None, None) if found is None else (found.interval.low, found.interval.high)
    low, high = sorted(rounded(sign * scale * bound) for bound in bounds if bound is not None) or (None, None)
    return Change(
        task, role, rounded(values[0]), rounded(values[1]), rounded(sign * scale * gap), low, high,
        n=found.interval.n if found else _count(new), unit="points" if share else "%",
    )  # fmt: skip


def verdict(changes: Sequence[Change], rules: Rules) -> tuple[bool, str]:
    """Whether the new version is promoted, and why (not)."""
    fallen = [change for change in changes if change.before is not None and _falls(change, rules)]
    if fallen:
        return False, "; ".join(_said(change, rules) for change in fallen)
    taught = next(change for change in changes if change.role != "old")
    if taught.after is None:
        return False, f"{taught.task} has no score"
    if rules.must_learn and not _learned(taught):
        return False, f"{taught.task} is not shown to be learned: {_gained(taught)}"
    kept = sum(change.before is not None for change in changes)
    return True, f"none of {kept} tasks falls by more than {rules.margin:g} points"


def _falls(change: Change, rules: Rules) -> bool:
    fall = change.fall(rules.by)
    return fall is None or fall > rules.margin + 1e-9


def _learned(change: Change) -> bool:
    return change.before is None or (change.low if change.low is not None else change.gain or 0.0) > 0


def _said(change: Change, rules: Rules) -> str:
    if change.gain is None:
        return f"{change.task} has no score now"
    verb = "falls by" if rules.by == "estimate" else "may fall by more than the margin:"
    return f"{change.task} {verb} {-change.gain:.1f} {change.unit} {_interval(change)}".rstrip()


def _gained(change: Change) -> str:
    return f"{change.gain or 0.0:+.1f} {change.unit} {_interval(change)}".rstrip()


def _interval(change: Change) -> str:
    if change.low is None or change.high is None:
        return ""
    return f"[gain {change.low:+.1f} to {change.high:+.1f}]"


def _score(results: Sequence[Result]) -> float | None:
    values = [result.score.value for result in results if result.score and result.score.value is not None]
    return sum(values) / len(values) if values else None


def _items(results: Sequence[Result]) -> Items | None:
    return average([result.items for result in results if result.items is not None])


def _count(results: Sequence[Result]) -> int:
    return max((result.score.n for result in results if result.score), default=0)
