"""Ranks and intervals of entries that were asked until their ranking was decided.

The tests of other boards would be wrong here: how many samples an entry was asked depends on its answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tianti.board.board import Decided, Rules
from tianti.board.entries import Cell, Column, Entry
from tianti.board.ranking import bands, places
from tianti.core.exceptions import InputError
from tianti.evaluation.bounds import Bounds
from tianti.stats.moments import Array
from tianti.stats.sequential import Bank, anytime_interval, place_key, rank_prefixes


@dataclass(frozen=True)
class Asked:
    """An entry with what its samples are worth, by column."""

    entry: Entry
    bounds: Mapping[str, Bounds]


def rank_decided(
    asked: Sequence[Asked], counting: Sequence[Column], stopped: Mapping[str, Any], rules: Rules
) -> tuple[list[Entry], int, Decided]:
    """The entries with rank, band and mean; the number of hypotheses; and how the study stands.

    Args:
        asked: entries that have all counting tasks. stopped: what the runs recorded of order, δ and level.
    """
    bank = _bank(counting, stopped)
    order = _order(asked, counting, stopped["order_seed"])
    tasks = [task for task, _ in order]
    prefixes = [_prefix(each, order) for each in asked]
    delta, level = stopped["delta"], stopped["level"]
    lows, highs = [low for low, _ in prefixes], [high for _, high in prefixes]
    ranking = rank_prefixes(lows, highs, tasks, bank, delta=delta / 100, level=level)
    shown = ranking.decisions()
    place = places([each.entry.mean or 0.0 for each in asked])
    by_place = sorted(range(len(asked)), key=lambda index: (place[index], asked[index].entry.name))
    band = bands(by_place, shown.better)
    entries = []
    for index, (each, (low, high)) in enumerate(zip(asked, prefixes, strict=True)):
        interval = anytime_interval(
            low, high, tasks[: len(low)], bank, level=rules.level, estimate=each.entry.mean
        )
        entries.append(
            replace(
                each.entry,
                low=interval.low, high=interval.high, interval_method=interval.method, target=interval.target,
                n=interval.n, clusters=None, rank=place[index],
                rank_low=min(int(shown.low[index]), place[index]),
                rank_high=max(int(shown.high[index]), place[index]), band=band[index],
            )
        )  # fmt: skip
    pairs = np.triu(np.ones_like(shown.better), 1)
    ordered = (shown.better | shown.better.T) & pairs
    decided = Decided(
        delta=delta,
        level=level,
        order_seed=stopped["order_seed"],
        order_sha256=stopped["order_sha256"],
        items=bank.size,
        asked=max((len(low) for low in lows), default=0),
        answers=sum(len(low) for low in lows),
        pairs=int(pairs.sum()),
        tied=int((shown.decided & pairs & ~ordered).sum()),
        open=int((~shown.decided & pairs).sum()),
    )
    return entries, ranking.family, decided


def check_rules(rules: Rules) -> None:
    """Raise InputError where the rules ask for intervals or ranks of entries that were asked all samples."""
    for given, usual, option in (
        (rules.ranks, "holm", "--ranks"),
        (rules.intervals, "wilson", "--intervals"),
    ):
        if given != usual:
            raise InputError(
                f"{option} {given} is for entries that were asked all samples, and these stopped when their ranking "
                "was decided",
                remedy=f"leave out {option}",
            )


def anytime_cells(
    entry: Entry,
    bounds: Mapping[str, Bounds],
    columns: Sequence[Column],
    stopped: Mapping[str, Any],
    level: float,
) -> Entry:
    """The entry with cells whose intervals hold at whatever sample it stopped; no ranks on single tasks."""
    cells = dict(entry.cells)
    for column in columns:
        if column.name in bounds and column.name in cells:
            cells[column.name] = _cell(cells[column.name], bounds[column.name], column, stopped, level)
    return replace(entry, cells=cells)


def _cell(cell: Cell, bounds: Bounds, column: Column, stopped: Mapping[str, Any], level: float) -> Cell:
    size = stopped["sizes"].get(column.fingerprint, len(bounds))
    keys = sorted(bounds, key=lambda sample: place_key(stopped["order_seed"], column.fingerprint, sample))
    values = np.array([bounds[key] for key in keys])
    bank = Bank({column.name: size}, {column.name: None})
    interval = anytime_interval(
        values[:, 0], values[:, 1], [column.name] * len(keys), bank, level=level, estimate=cell.value
    )
    return replace(
        cell, low=interval.low, high=interval.high, method=interval.method, target=interval.target, clusters=None,
        rank_low=None, rank_high=None,
    )  # fmt: skip


def _bank(counting: Sequence[Column], stopped: Mapping[str, Any]) -> Bank:
    sizes = {column.name: stopped["sizes"][column.fingerprint] for column in counting}
    return Bank(sizes, {column.name: column.chance for column in counting})


def _order(asked: Sequence[Asked], counting: Sequence[Column], seed: int) -> list[tuple[str, str]]:
    """(column, sample) of all that any entry was asked, in the committed order."""
    fingerprints = {column.name: column.fingerprint for column in counting}
    items = {(name, sample) for each in asked for name in fingerprints for sample in each.bounds[name]}
    return sorted(items, key=lambda item: place_key(seed, fingerprints[item[0]], item[1]))


def _prefix(asked: Asked, order: Sequence[tuple[str, str]]) -> tuple[Array, Array]:
    """The bounds of the first samples of the order, up to the first that the entry was not asked."""
    found: list[tuple[float, float]] = []
    for task, sample in order:
        bounds = asked.bounds[task].get(sample)
        if bounds is None:
            break
        found.append(bounds)
    values = np.array(found).reshape(len(found), 2)
    return values[:, 0], values[:, 1]
