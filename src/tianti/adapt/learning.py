"""From a task's examples to a trained network that answers: what full fine-tuning and LoRA have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tianti.adapt import saving
from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.answering import ChoiceBackend, label_backend
from tianti.adapt.defaults import learning_rate
from tianti.adapt.fitting import Form, causal_backend, need_trainable
from tianti.adapt.losses import answer_loss, choice_loss
from tianti.adapt.networks import PooledNetwork
from tianti.adapt.options import Training, settings
from tianti.adapt.samples import Item, Reader, labelled, split, windows
from tianti.adapt.training import History, isolated_randomness, set_tensors, train, trained_tensors
from tianti.core.progress import Progress
from tianti.core.seeds import derive_seed
from tianti.engine import Backend
from tianti.models.model import LoadedModel
from tianti.tasks.task import Example, Task

Prepare = Callable[[Any], Any]
"""original network → the copy of it in which the parameters to train require a gradient."""


@dataclass(frozen=True)
class Lesson:
    """What is learned by whom: one adaptation of one model to one task."""

    adaptation: Any
    model: LoadedModel
    task: Task
    seed: int

    @property
    def form(self) -> Form:
        return need_trainable(self.adaptation.name, self.model, self.task)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that all examples share."""
        return self.task.examples("train")[0].choices

    @property
    def outputs(self) -> int:
        """Outputs of a head: one per label, or one that scores a choice."""
        return len(self.labels) if self.form == "labels" else 1

    @property
    def draw(self) -> int:
        """The seed of fresh weights, dropout and shuffling."""
        return derive_seed("adapt", self.seed, self.task.info.name)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the trained weights: a saved folder serves for the same and nothing else."""
        return {
            "adaptation": self.adaptation.name,
            "settings": settings(self.adaptation),
            "model": self.model.model.fingerprint,
            "task": self.task.fingerprint,
            "seed": self.seed,
        }

    def examples(self, max_examples: int | None) -> tuple[list[Example], list[Example]]:
        """Training and validation examples."""
        return split(self.task, max_examples, self.seed)


def learn(lesson: Lesson, prepare: Prepare, folder: Path, progress: Progress) -> Adapted:
    """Train a copy of the model on the task, or load from `folder` what was trained before."""
    network = _untrained(lesson, prepare)
    found = saving.load(folder, lesson.identity)
    if found is not None:
        tensors, cost = found
        set_tensors(network, tensors)
        _restore_dtype(network, lesson)
    else:
        started = time.perf_counter()
        history, examples = _train(network, lesson, progress)
        _restore_dtype(network, lesson)
        tensors = trained_tensors(network)
        cost = Cost(
            trainable_parameters=sum(tensor.numel() for tensor in tensors.values()),
            total_parameters=sum(parameter.numel() for parameter in network.parameters()),
            examples=examples,
            steps=history.steps,
            tokens=history.tokens,
            seconds=time.perf_counter() - started,
            train_loss=history.train_loss,
            validation=history.validation_loss,
        )
        cost = replace(cost, saved_bytes=saving.save(folder, lesson.identity, tensors, cost))
    return Adapted(answering(network, lesson), cost)


def _untrained(lesson: Lesson, prepare: Prepare) -> Any:
    """The network to train; an encoder gets a head with fresh weights."""
    original, _ = lesson.model.pair()
    with isolated_randomness(lesson.draw, original.device):
        if lesson.model.model.architecture == "causal":
            return prepare(original)
        return PooledNetwork(prepare(original.base_model), lesson.outputs)


def _train(network: Any, lesson: Lesson, progress: Progress) -> tuple[History, int]:
    original, tokenizer = lesson.model.pair()
    settings: Training = lesson.adaptation
    parts = lesson.examples(settings.max_examples)
    items: list[Sequence[Item]]
    if isinstance(network, PooledNetwork):
        loss: Any = choice_loss
        reader = Reader(network, tokenizer, settings.max_length)
        items = [labelled(part, lesson.form, reader) for part in parts]
    else:
        loss, ends = answer_loss, lesson.form == "text"
        items = [windows(part, network, tokenizer, settings.max_length, ends=ends) for part in parts]
    lr = (
        settings.lr
        if settings.lr != "auto"
        else learning_rate(lesson.adaptation.name, original.num_parameters())
    )
    title = f"{lesson.adaptation.name} · {lesson.task.info.name}"
    return train(network, loss, items[0], items[1], settings, lr, lesson.draw, progress, title), len(parts[0])


def _restore_dtype(network: Any, lesson: Lesson) -> None:
    """Training is in float32, answering in the dtype of the model; the head and LoRA's matrices stay in float32."""
    original, _ = lesson.model.pair()
    body = network.body if isinstance(network, PooledNetwork) else network
    if lesson.adaptation.name == "full":
        body.to(original.dtype)


def answering(network: Any, lesson: Lesson) -> Backend:
    """What answers with a trained network."""
    network.requires_grad_(False)
    network.train(False)
    if not isinstance(network, PooledNetwork):
        return causal_backend(lesson.model, network)
    _, tokenizer = lesson.model.pair()
    answer = label_backend if lesson.form == "labels" else ChoiceBackend
    return answer(network, tokenizer, lesson.model.options.batch)
