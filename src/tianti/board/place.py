"""Place one new entry on a finished board: ask it samples until its rank among the others is settled.

The others' scores on the board's samples are known, so one confidence sequence of the new entry's score answers all
comparisons at once (`tianti.stats.sequential.Placing`). What it says is about this bank of samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tianti.adapt import parse_adaptation
from tianti.board.board import Board
from tianti.board.entries import Column, Entry
from tianti.board.rounding import rounded
from tianti.conductor import Conductor
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Progress
from tianti.evaluation.bounds import Bounds, bounds_of, mean_bounds
from tianti.models import LoadOptions, open_model
from tianti.sequential.asking import Asking
from tianti.sequential.decide import Examinee, rounds
from tianti.stats.moments import Array
from tianti.stats.sequential import (
    FIRST_ITEMS,
    Bank,
    Order,
    Place,
    Placing,
    anytime_interval,
    committed_order,
    fit_control,
)  # fmt: skip
from tianti.store import Store
from tianti.study import Trial
from tianti.tasks import load_tasks

LEVEL = 0.95


@dataclass(frozen=True)
class NewEntry:
    """What is to be placed, and how it is asked."""

    model: str
    adaptation: str = "zero-shot"
    seeds: tuple[int, ...] = (0,)
    delta: float = 2.0
    order_seed: int = 0
    options: LoadOptions = field(default_factory=LoadOptions)


@dataclass(frozen=True)
class PlacedEntry:
    """Where the new entry stands: its rank among `of` entries lies in `rank_low` … `rank_high`.

    `above`, `below` and `tied` (within `delta` points) name the others; `open` those of whom nothing is shown after all
    samples, because answers are missing. `n` of the bank's `items` were needed. All of it holds at once with
    `level`, at whatever sample one stops.
    """

    entry: str
    of: int
    rank_low: int
    rank_high: int
    mean: float
    low: float | None
    high: float | None
    n: int
    """Samples that it was asked, each of all `repeats` seeds."""
    items: int
    repeats: int
    delta: float
    level: float
    method: str
    target: str
    order_seed: int
    order_sha256: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    tied: tuple[str, ...]
    open: tuple[str, ...]
    family: int
    """1: one confidence sequence answers all comparisons, so nothing has to be corrected for."""
    control: bool
    """Whether the others' answers were used to predict its own, which narrows and cannot bias."""
    run_ids: tuple[str, ...]


@dataclass(frozen=True)
class _Incumbents:
    """The entries that are there: `low` and `high`, shape (entries, N), are what their answers to the samples, in the
    order of asking, are worth."""

    names: tuple[str, ...]
    low: Array
    high: Array


def place(store: Store, board: Board, new: NewEntry, progress: Progress) -> PlacedEntry:
    """Ask the new entry until its place among the ranked entries of the board is settled.

    Raises:
        InputError: the board has no ranked entries, stopped early itself, or has the new entry already.
        IncompatibleError: the model cannot be adapted so, or does not fit a task of the board.
    """
    if not 0 < new.delta < 100:
        raise InputError(
            f"delta: expected points above 0 and below 100, got {new.delta:g}", remedy="2 is usual: --delta 2"
        )
    ranked = _ranked(board)
    trials = _trials(store, board, ranked, new)
    conductor = Conductor(store, progress)
    askings: dict[str, list[Asking]] = {}
    samples: dict[str, list[str]] = {}
    for trial in trials:
        asking = Asking(trial, conductor)
        samples[trial.task.fingerprint] = asking.check()
        askings.setdefault(trial.task.fingerprint, []).append(asking)
    order = committed_order(samples, new.order_seed)
    chances = {column.fingerprint: column.chance for column in board.counting}
    bank = Bank(order.sizes, {task: chances[task] for task in order.sizes})
    progress.say(f"order of {bank.size:,} samples: seed {order.seed}, sha256 {order.sha256}")
    incumbents = _incumbents(store, board, ranked, order)
    low, high, shown, control = _ask(Examinee(askings), order, bank, incumbents, new.delta / 100, progress)
    tasks = [task for task, _ in order.items[: len(low)]]
    interval = anytime_interval(low, high, tasks, bank, level=LEVEL)
    facts = {"order_seed": order.seed, "order_sha256": order.sha256, "sizes": dict(bank.sizes)}
    facts |= {"delta": new.delta, "level": LEVEL, "family": f"placed among {len(ranked)}"}
    runs = [asking.finish({"decided": facts}) for members in askings.values() for asking in members]

    def named(flags: Any) -> tuple[str, ...]:
        return tuple(name for name, flag in zip(incumbents.names, flags, strict=True) if flag)

    return PlacedEntry(
        entry=f"{trials[0].model.name} · {_label(trials[0])}",
        of=len(ranked) + 1,
        rank_low=shown.low,
        rank_high=shown.high,
        mean=rounded(interval.estimate),
        low=rounded(interval.low),
        high=rounded(interval.high),
        n=len(low),
        items=bank.size,
        repeats=min(len(members) for members in askings.values()),
        delta=new.delta,
        level=LEVEL,
        method=interval.method,
        target=interval.target,
        order_seed=order.seed,
        order_sha256=order.sha256,
        above=named(shown.above),
        below=named(shown.below),
        tied=named(shown.tied),
        open=named(~shown.settled),
        family=1,
        control=control,
        run_ids=tuple(run.run_id for run in runs),
    )


def _ask(
    new: Examinee, order: Order, bank: Bank, incumbents: _Incumbents, delta: float, progress: Progress
) -> tuple[Array, Array, Place, bool]:
    """Ask round after round until the place is settled; the values, the place, and whether predictions were used."""
    units = bank.units([task for task, _ in order.items])
    scores = np.array([_scores(side, units, bank) for side in (incumbents.low, incumbents.high)])
    placing = Placing(scores, bank, delta=delta, level=LEVEL)
    low, high = np.empty(0), np.empty(0)
    controlled = False
    with progress.meter("samples until the place is settled", bank.size) as meter:
        for start, end in rounds(bank.size):
            items = order.items[start:end]
            found = new.ask(items)
            low, high = np.concatenate([low, found[0]]), np.concatenate([high, found[1]])
            tasks = [task for task, _ in order.items[:end]]
            if not controlled and end >= FIRST_ITEMS and bank.size > FIRST_ITEMS:
                # The predictions are fixed by the first items alone, so what was bet on them is bet again unchanged.
                others = (incumbents.low + incumbents.high) / 2
                first = (low[:FIRST_ITEMS] + high[:FIRST_ITEMS]) / 2
                control = fit_control(others, first, units)
                placing = Placing(scores, bank, delta=delta, level=LEVEL, control=control)
                placing.take(low, high, tasks)
                controlled = True
            else:
                placing.take(*found, tasks[start:])
            meter.advance(end - start)
            if placing.place().settled.all():
                break
    return low, high, placing.place(), controlled


def _scores(values: Array, units: Array, bank: Bank) -> Array:
    return np.array([bank.score(float((row * units).sum()) / bank.size) for row in values])


def _ranked(board: Board) -> list[Entry]:
    if board.decided is not None:
        raise InputError(
            "this board stopped when its ranking was decided, so its entries lack answers to place a new one by",
            remedy="run its study without --until, or add the model to the study and run it again with --until",
        )
    ranked = [entry for entry in board.entries if entry.rank is not None and entry.complete]
    if not ranked or not board.counting:
        raise InputError(
            "the board has no ranked entries to place a new one among",
            remedy="run a study first, or name another with --study",
        )
    board.measured(ranked[0].name)
    return ranked


def _trials(store: Store, board: Board, ranked: Sequence[Entry], new: NewEntry) -> list[Trial]:
    """The new entry's trials: the board's tasks, with as many samples."""
    model, adaptation = open_model(new.model), parse_adaptation(new.adaptation)
    if (adaptation.name == "fit") != (model.architecture == "baseline"):
        raise IncompatibleError(
            f"{model.name} cannot be adapted by {adaptation.name}",
            remedy=f"use --adapt {'fit' if model.architecture == 'baseline' else 'zero-shot'}",
        )
    seeds: Sequence[int | None] = new.seeds if adaptation.seeded else (None,)
    found = []
    for column in board.counting:
        manifest = store.run(ranked[0].cells[column.name].run_ids[0]).manifest["task"]
        include = tuple(Path(folder) for folder in manifest["include"])
        task = next(
            (
                each
                for each in load_tasks(manifest["reference"], include)
                if each.fingerprint == column.fingerprint
            ),
            None,
        )
        if task is None:
            raise InputError(
                f"{column.name}: its data or prompt changed since the board was measured",
                remedy="bring back the task as it was, or run the board's study again",
            )
        found += [
            Trial(model, adaptation, task, seed, column.limit, new.options, include, new.order_seed)
            for seed in seeds
        ]
    name = f"{found[0].model.name} · {_label(found[0])}"
    if any(entry.name == name and entry.model_fingerprint == model.fingerprint for entry in ranked):
        raise InputError(f"{name} is on the board already", remedy="`tianti board` shows its rank")
    return found


def _label(trial: Trial) -> str:
    label: str = trial.manifest["adaptation"]["label"]
    return label


def _incumbents(store: Store, board: Board, ranked: Sequence[Entry], order: Order) -> _Incumbents:
    columns = {column.fingerprint: column for column in board.counting}
    values = []
    for entry in ranked:
        bounds = {task: _bounds(store, entry, column) for task, column in columns.items()}
        values.append([_worth(bounds[task], sample) for task, sample in order.items])
    array = np.array(values)
    return _Incumbents(tuple(entry.name for entry in ranked), array[:, :, 0], array[:, :, 1])


def _bounds(store: Store, entry: Entry, column: Column) -> list[Bounds]:
    runs = [store.run(run_id) for run_id in entry.cells[column.name].run_ids]
    return [bounds_of(store.answers(run.run_id), column.metric) for run in runs if run.state == "finished"]


def _worth(trials: Sequence[Mapping[str, tuple[float, float]]], sample: str) -> tuple[float, float]:
    """What an incumbent's answers to a sample are worth; anything where a seed was not asked it."""
    return mean_bounds([{sample: bounds.get(sample, (0.0, 1.0))} for bounds in trials], sample)
