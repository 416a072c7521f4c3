"""Boards of any size without a study behind them, for what shows boards."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from tianti.board.board import Board, Rules
from tianti.board.entries import Cell, Column, Entry, Price
from tianti.board.reported import reported_board
from tianti.board.slugs import slugs
from tianti.board.snapshot import Snapshot

METHODS = ("zero-shot", "few-shot", "lora", "full")
MISSING = 0.05
"""The share of cells without a score."""


def synthetic_snapshot(entries: int, tasks: int, seed: int = 0) -> Snapshot:
    """A snapshot of one board of so many entries and tasks, with nothing beside it."""
    return Snapshot(
        boards=(synthetic_board(entries, tasks, seed),),
        streams=(),
        transfer=(),
        reported=reported_board(),
        runs=MappingProxyType({}),
    )


def synthetic_board(entries: int, tasks: int, seed: int = 0) -> Board:
    """Models under adaptations with random scores, ranked by their means; 1 cell of 20 is missing, some with a
    reason."""
    random = np.random.default_rng(seed)
    columns = tuple(_column(number) for number in range(tasks))
    scores = np.clip(random.normal(0.6, 0.1, (entries, 1)) + random.normal(0, 0.1, (entries, tasks)), 0, 1)
    missing = random.random((entries, tasks)) < MISSING
    means = [
        float(row[~gone].mean()) if not gone.all() else 0.0 for row, gone in zip(scores, missing, strict=True)
    ]
    order = sorted(range(entries), key=lambda entry: -means[entry])
    names = [f"organisation-{number % 97}/model-{number}" for number in range(entries)]
    ids = slugs(names)
    made = []
    for place, number in enumerate(order):
        method = METHODS[number % len(METHODS)]
        cells = {
            column.name: _cell(column, float(scores[number, at]), bool(missing[number, at]))
            for at, column in enumerate(columns)
            if not missing[number, at] or number % 2
        }
        made.append(
            Entry(
                id=ids[names[number]],
                name=f"{names[number]} · {method}",
                model=names[number],
                model_fingerprint="",
                model_source="folder",
                architecture="causal",
                parameters=int(10 ** random.uniform(7, 11)),
                adaptation=f"{method}(k=4)" if method == "few-shot" else method,
                method=method,
                cells=cells,
                tasks_done=int((~missing[number]).sum()),
                complete=True,
                mean=means[number],
                low=means[number] - 0.02,
                high=means[number] + 0.02,
                rank=place + 1,
                rank_low=max(1, place - 40),
                rank_high=min(entries, place + 40),
                band=1 + place // 50,
                price=Price(1000 * place, 60.0, 5.0, 10_000, 20_000, 256),
            )
        )
    return Board("", Rules(), columns, tuple(made), family=entries * (entries - 1))


def _column(number: int) -> Column:
    return Column(
        name=f"task-{number}",
        kind="choice",
        language="zh" if number % 4 == 3 else "en",
        split="test",
        version="1",
        fingerprint="",
        limit=None,
        metric="acc",
        chance=0.25,
        higher_is_better=True,
        scale="proportion",
    )


def _cell(column: Column, score: float, missing: bool) -> Cell:
    if missing:
        return Cell(column.name, "failed", reason="out of memory")
    normalised = (score - 0.25) / 0.75
    return Cell(column.name, "ok", score, score - 0.03, score + 0.03, n=1000, normalised=normalised)
