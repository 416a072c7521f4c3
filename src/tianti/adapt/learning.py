"""From a task's examples to a trained network that answers: what all trained adaptations have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from tianti.adapt import saving
from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.carrying import start_from
from tianti.adapt.checkpoints import Checkpoints
from tianti.adapt.defaults import resolved
from tianti.adapt.lesson import Lesson, Prepare
from tianti.adapt.memory import AddedMemory
from tianti.adapt.objectives import Objective, choose_objective
from tianti.adapt.options import Training
from tianti.adapt.packing import check_packing
from tianti.adapt.training import History, isolated_randomness, set_tensors, train, trained_tensors
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Progress
from tianti.engine import Backend
from tianti.engine.tokens import Window


def learn(lesson: Lesson, prepare: Prepare, folder: Path, progress: Progress) -> Adapted:
    """Train a copy of the model on the task, or load from `folder` what was trained before."""
    objective = choose_objective(lesson)
    memory = AddedMemory(lesson.model.pair()[0].device)
    network = untrained(objective, prepare)
    start_from(network, lesson.model.learned)
    names = tuple(name for name, parameter in network.named_parameters() if parameter.requires_grad)
    found = saving.load(folder, lesson.identity)
    if found is not None:
        tensors, cost = found
        set_tensors(network, tensors)
        restore_dtype(network, lesson)
    else:
        history, examples = _train(network, objective, folder, progress)
        added = memory.most
        restore_dtype(network, lesson)
        tensors = trained_tensors(network)
        cost = training_cost(network, tensors, history, examples, added)
        cost = replace(cost, saved_bytes=saving.save(folder, lesson.identity, tensors, cost))
    Checkpoints(folder, {}).clear()
    return Adapted(answering(network, objective), cost, network, names)


def training_cost(
    network: nn.Module, trained: Mapping[str, Tensor], history: History, examples: int, added: int | None
) -> Cost:
    """What a training took that left the `trained` weights of `network`; `added` is its memory, in bytes."""
    return Cost(
        trainable_parameters=sum(tensor.numel() for tensor in trained.values()),
        total_parameters=sum(parameter.numel() for parameter in network.parameters()),
        examples=examples,
        steps=history.steps,
        tokens=history.tokens,
        seconds=history.seconds,
        train_loss=history.train_loss,
        validation=history.validation_loss,
        validation_metric=history.validation_metric,
        best_epoch=history.best_epoch,
        loss_steps=history.loss_steps,
        loss_by_step=history.loss_by_step,
        epoch_steps=history.epoch_steps,
        added_memory_bytes=added,
    )


def untrained(objective: Objective, prepare: Prepare) -> Any:
    """The network to train; a head on it has fresh weights."""
    original, _ = objective.lesson.model.pair()
    with isolated_randomness(objective.lesson.draw, original.device):
        return objective.build(prepare)


def _train(network: Any, objective: Objective, folder: Path, progress: Progress) -> tuple[History, int]:
    lesson = objective.lesson
    settings: Training = resolved(lesson.adaptation, lesson.model.pair()[0].num_parameters())
    examples, held = lesson.examples(settings.max_examples)
    items, validation = objective.items(network, examples), objective.items(network, held)
    if settings.batches == "packed":
        _check_packing(network, lesson, items)
    history = train(
        network,
        objective.loss,
        items,
        validation,
        settings,
        float(settings.lr),
        lesson.draw,
        progress,
        f"{lesson.adaptation.name} · {lesson.task.info.name}",
        hits=objective.hits,
        checkpoints=Checkpoints(folder, lesson.identity | {"lr": settings.lr, "batch": settings.batch}),
    )
    return history, len(examples)


def _check_packing(network: Any, lesson: Lesson, items: Sequence[Any]) -> None:
    if lesson.model.model.architecture != "causal" or not all(isinstance(item, Window) for item in items):
        raise IncompatibleError(
            f"batches=packed does not fit {lesson.model.model.name} on {lesson.task.info.name}: only texts that a "
            "causal model learns are packed",
            remedy="use batches=grouped",
        )
    check_packing(network, items)


def restore_dtype(network: Any, lesson: Lesson) -> None:
    """Training is in float32, answering in the dtype of the model; heads and added matrices stay in float32."""
    original, _ = lesson.model.pair()
    if getattr(lesson.adaptation, "own_weights", False):
        getattr(network, "body", network).to(original.dtype)


def answering(network: Any, objective: Objective) -> Backend:
    """What answers with a trained network."""
    network.requires_grad_(False)
    network.train(False)
    return objective.backend(network)
