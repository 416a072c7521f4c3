"""The loop of a pre-training: batches, steps, validation and checkpoints, from wherever it was stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tianti.adapt.pretrain.checkpoints import State, load_checkpoint, save_checkpoint
from tianti.adapt.pretrain.objectives import Batch, Objective
from tianti.adapt.pretrain.optimizers import FACTOR, make_optimizers
from tianti.adapt.pretrain.packing import Shelf, Source
from tianti.adapt.pretrain.settings import Pretraining
from tianti.core.exceptions import NonFiniteError
from tianti.core.progress import Progress
from tianti.core.seeds import derive_seed

HELD_BATCHES = 24
"""At most so many batches of the held-out text are validated on."""


@dataclass(frozen=True)
class Lesson:
    """A network with what it learns: the objective, the text to learn from and the text held out."""

    network: Any
    objective: Objective
    learned: Source
    held: Shelf
    identity: str
    """Equal for equal trainings: a checkpoint of another one is refused."""


def run_lesson(
    lesson: Lesson,
    settings: Pretraining,
    folder: Path,
    progress: Progress,
    *,
    stop: int,
    after_step: Callable[[int], None] = lambda step: None,
) -> State:
    """Train up to step `stop`, going on from the newest checkpoint in `folder`; a checkpoint is written per interval.

    What a step draws at random is drawn from the seed and its number, so a training that was stopped goes on to the
    very same weights (on a CPU in float32).

    Raises:
        NonFiniteError: the loss is no number any more.
        StoreError: a checkpoint cannot be written, or is of another training.
    """
    network, device = lesson.network, next(lesson.network.parameters()).device
    optimizers = make_optimizers(network, settings)
    state = load_checkpoint(folder, lesson.identity, network, optimizers, progress)
    held = [batch.to(device) for batch in held_batches(lesson, settings)]
    before, started = state.seconds, time.monotonic()
    if state.step:
        progress.say(f"Going on from step {state.step:,} of {settings.steps:,}")
    with progress.meter("pre-training", stop) as meter:
        meter.advance(state.step)
        while state.step < stop:
            rng = np.random.default_rng(derive_seed("hidden", settings.seed, state.step))
            batch, state.position = lesson.objective.batch(lesson.learned, state.position, rng)
            state.losses.append(
                _step(lesson, optimizers, batch.to(device), settings, settings.rate(state.step))
            )
            state.step += 1
            state.tokens += batch.tokens
            meter.advance(note=f"loss {state.losses[-1]:.3f}")
            if state.step % settings.interval == 0 or state.step == stop:
                state.validation[str(state.step)] = validate(lesson, held, settings)
                state.seconds = before + time.monotonic() - started
                progress.say(_line(state, settings))
                save_checkpoint(folder, lesson.identity, state, network, optimizers)
            after_step(state.step)
    return state


def held_batches(lesson: Lesson, settings: Pretraining) -> list[Batch]:
    """Batches of the held-out text, always the same ones; no piece stands in two, unless there are too few for one."""
    batches: list[Batch] = []
    position = 0
    while len(batches) < HELD_BATCHES:
        rng = np.random.default_rng(derive_seed("hidden from validation", settings.seed, len(batches)))
        batch, position = lesson.objective.batch(lesson.held, position, rng)
        if batches and position > len(lesson.held.pieces):
            break
        batches.append(batch)
    return batches


@torch.no_grad()
def validate(lesson: Lesson, held: Sequence[Batch], settings: Pretraining) -> float:
    """The mean loss over the held-out batches."""
    lesson.network.train(False)
    with _precision(lesson.network.device, settings):
        loss = sum(lesson.objective.loss(lesson.network, batch).item() for batch in held) / len(held)
    lesson.network.train()
    return loss


def uses_bfloat16(device: torch.device, settings: Pretraining) -> bool:
    """Whether products are computed in bfloat16. On a CPU without instructions for it, it is twenty times slower."""
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def _precision(device: torch.device, settings: Pretraining) -> AbstractContextManager[Any]:
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bfloat16(device, settings))


def _step(
    lesson: Lesson,
    optimizers: Sequence[torch.optim.Optimizer],
    batch: Batch,
    settings: Pretraining,
    rate: float,
) -> float:
    """One update; returns the loss before it."""
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["lr"] = rate * group.get(FACTOR, 1.0)
    with _precision(lesson.network.device, settings):
        loss = lesson.objective.loss(lesson.network, batch)
    value = loss.item()
    if not math.isfinite(value):
        raise NonFiniteError(
            f"pre-training: the loss became {value}", remedy=f"try --lr below {settings.learning_rate:g}"
        )
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(lesson.network.parameters(), settings.clip)
    for optimizer in optimizers:
        optimizer.step()
    lesson.network.zero_grad()
    return value


def _line(state: State, settings: Pretraining) -> str:
    recent = state.losses[-settings.interval :]
    return (
        f"step {state.step:,} of {settings.steps:,}: training loss {sum(recent) / len(recent):.4f}, "
        f"validation loss {state.validation[str(state.step)]:.4f} ({state.seconds:,.0f} s)"
    )
