"""A small study of which everything is drawn: gains, learning curves, losses, a stream, transfer, and what it cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tianti.board.snapshot import Snapshot, take_snapshot
from tianti.board.streams import Stream
from tianti.board.transfer import Matrix, Row
from tianti.stats.intervals import Interval
from tianti.store import Store
from worlds import World

MODEL = "nano:llama"
HOSTILE = "<img src=x onerror=alert(1)>"
TASKS = ("sentiment", "topics")


def record_charted(store: Store, items: int = 60) -> Snapshot:
    """Two models: one under many adaptations, of which one was run twice, and one as it is, whose name would do harm
    if it were not taken as text."""
    world = World(items=items, languages={"topics": "zh"})
    kept = {"trainable_parameters": 0, "seconds": 0.0, "tokens": 0, "examples": 0}
    for task in TASKS:
        world.record(store, MODEL, "zero-shot", task, 0.55, learned=kept)
        world.record(store, HOSTILE, "zero-shot", task, 0.75, learned=kept)
        for k, chance in ((1, 0.58), (2, 0.63), (4, 0.66)):
            world.record(store, MODEL, f"few-shot(k={k})", task, chance, learned=kept)
        for size, chance in ((16, 0.6), (64, 0.72), (256, 0.85)):
            world.record(store, MODEL, f"lora(max_examples={size})", task, chance, learned=cost(40_000, size))
            world.record(
                store, MODEL, f"full(max_examples={size})", task, chance + 0.04, learned=cost(900_000, size)
            )
        world.record(store, MODEL, "lora", task, 0.93, learned=cost(40_000, 1200))
    world.record(store, MODEL, "lora", "topics", 0.93, learned=cost(40_000, 1200))
    snapshot = take_snapshot(store)
    entry = snapshot.board.entry(f"{MODEL} · lora")
    ordinary = snapshot.board.entry(f"{MODEL} · zero-shot")
    rows = (
        Row(None, ordinary.name, None, ordinary.cells),
        Row("sentiment", entry.name, "sentiment", entry.cells),
    )
    return replace(
        snapshot,
        streams=(stream(),),
        transfer=(Matrix(MODEL, "lora", snapshot.board.columns, rows),),
    )


def cost(parameters: int, examples: int) -> dict[str, object]:
    """A training of three epochs on so many examples."""
    steps = max(3, 3 * examples // 16)
    draws = np.random.default_rng(examples + parameters).normal(0, 0.03, steps)
    points = range(max(1, steps // 60), steps + 1, max(1, steps // 60))
    ends = [steps // 3, 2 * steps // 3, steps]
    return {
        "trainable_parameters": parameters,
        "examples": examples,
        "tokens": 60 * examples,
        "seconds": examples * (0.02 if parameters < 100_000 else 0.05),
        "steps": steps,
        "loss_steps": list(points),
        "loss_by_step": [float(0.7 * 0.5 ** (3 * step / steps) + draws[step - 1]) for step in points],
        "epoch_steps": ends,
        "train_loss": [0.6, 0.3, 0.15],
        "validation": [0.5, 0.35, 0.3],
    }


def stream() -> Stream:
    """Two tasks, of which the first is partly forgotten."""

    def figure(estimate: float) -> Interval:
        return Interval(estimate, estimate - 0.05, estimate + 0.05, 0.95, "t", 60)

    return Stream(
        MODEL,
        "lora",
        "replay(share=0.1)",
        TASKS,
        (0,),
        ((0.5, 0.52), (0.9, 0.55), (0.78, 0.88)),
        average=figure(0.83),
        backward=figure(-0.12),
        forgetting_first=figure(0.12),
        learning=figure(0.89),
        training_seconds=12.34,
        added_memory_bytes=56_000_000,
        kept_bytes=1_400_000,
    )
