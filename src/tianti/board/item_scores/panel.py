"""The rank-stability panel: where each entry would stand under other aggregates and other weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tianti.board.item_scores.table import ItemTable
from tianti.stats import AGGREGATES, AggregateName, Stability, WeightChange
from tianti.stats.latent import connected_groups
from tianti.stats.moments import Array


@dataclass(frozen=True)
class StableEntry:
    """The places of an entry: by each aggregate (None where that does not rank it), the lowest and highest when one
    task is left out, and from the 5 % to the 95 % quantile under random weights, with the share of those weights
    under which it is first."""

    name: str
    places: Mapping[AggregateName, int | None]
    without_low: int | None
    without_high: int | None
    weights_low: int | None
    weights_high: int | None
    weights_first: float | None


@dataclass(frozen=True)
class Compared:
    """Two aggregates on the `entries` that both rank: Kendall's τ-b, and the entry that moves farthest."""

    first: AggregateName
    second: AggregateName
    entries: int
    tau: float | None
    mover: str | None
    place_first: int | None
    place_second: int | None


@dataclass(frozen=True)
class WithoutTask:
    """Who is first when one task is left out."""

    task: str
    first: tuple[str, ...]


@dataclass(frozen=True)
class OtherWeights:
    """The smallest change of weights that lets `challenger` draw level with `leader`: `share` of the whole weight
    moves to other tasks, `weights` are those after it."""

    leader: str
    challenger: str
    share: float
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Panel:
    """`refused` says which aggregate could not be computed, and why. `weight_change` is None where no weights change
    the leader, or the aggregate is not linear in them (`win-rate`, `latent`)."""

    by: AggregateName
    entries: tuple[StableEntry, ...]
    compared: tuple[Compared, ...]
    without: tuple[WithoutTask, ...]
    weight_change: OtherWeights | None
    refused: Mapping[AggregateName, str]
    draws: int
    seed: int


def panel_of(found: Stability, table: ItemTable, groups: str) -> Panel:
    """The panel with names; its entries in the order of the table. `groups` is what `name_groups` says."""
    change = found.weight_change
    refused = {name: groups if name == "latent" and groups else why for name, why in found.refused.items()}
    return Panel(
        by=found.by,
        entries=tuple(_entry(found, row, name) for row, name in enumerate(table.entries)),
        compared=tuple(
            Compared(
                pair.first, pair.second, pair.entries, None if np.isnan(pair.tau) else pair.tau,
                None if pair.mover is None else table.entries[pair.mover], pair.place_first, pair.place_second,
            )
            for pair in found.agreements
        ),
        without=tuple(
            WithoutTask(task.name, tuple(table.entries[row] for row in np.flatnonzero(places == 1)))
            for task, places in zip(table.tasks, found.without, strict=True)
        ),
        weight_change=None if change is None else _other_weights(change, table),
        refused=refused,
        draws=found.random.draws,
        seed=found.random.seed,
    )  # fmt: skip


def _other_weights(change: WeightChange, table: ItemTable) -> OtherWeights:
    return OtherWeights(
        leader=table.entries[change.leader],
        challenger=table.entries[change.rival],
        share=change.share,
        weights={task.name: float(weight) for task, weight in zip(table.tasks, change.weights, strict=True)},
    )


def name_groups(table: ItemTable, scores: Array, share: Array) -> str:
    """What keeps abilities from being compared: groups of entries that share no task. Empty where nothing does."""
    present = ~np.isnan(scores[:, share > 0])
    rows = np.flatnonzero(present.any(axis=1))
    groups = connected_groups(present[rows])
    if groups.max() == 0:
        return ""
    members = [[table.entries[row] for row in rows[groups == group]] for group in np.unique(groups)]
    small = min(members, key=len)
    named = ", ".join(small[:5]) + (", …" if len(small) > 5 else "")
    return f"the entries fall into {len(members)} groups that share no task; one of them is {named}"


def _entry(found: Stability, row: int, name: str) -> StableEntry:
    without = found.without[:, row]
    known = without[~np.isnan(without)]
    first = found.random.first[row]
    return StableEntry(
        name=name,
        places={by: _place(found.places[by][row]) for by in AGGREGATES if by in found.places},
        without_low=int(known.min()) if len(known) else None,
        without_high=int(known.max()) if len(known) else None,
        weights_low=_place(found.random.low[row]),
        weights_high=_place(found.random.high[row]),
        weights_first=None if np.isnan(first) else float(first),
    )


def _place(value: float) -> int | None:
    return None if np.isnan(value) else int(value)
