"""One training as it goes: epochs of steps, validation after each, and where it stands, to go on from there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tianti.adapt.checkpoints import Checkpoints, State
from tianti.adapt.hook import Hook
from tianti.adapt.optimizers import clip, make_optimizer, rate_at, set_rate, trainable
from tianti.adapt.options import Training
from tianti.adapt.precision import mixed
from tianti.adapt.samples import Item, random_batches, shuffled_batches, size, sorted_batches
from tianti.adapt.trace import Trace
from tianti.adapt.weights import set_tensors, trained_tensors
from tianti.core.exceptions import NonFiniteError
from tianti.core.progress import Meter

Loss = Callable[[Any, Sequence[Any]], tuple[Tensor, int | Tensor]]
"""(network, items) → the summed loss of the items in nats, and how many terms it sums."""

Hits = Callable[[Any, Sequence[Any]], tuple[float, int]]
"""(network, items) → how many of what the items ask are predicted right, and of how many."""

CHECKED = {"cpu": 1}
"""After how many steps the loss is looked at: a look at a GPU's number waits until it has done all its work."""


@dataclass(frozen=True)
class History:
    """What the training did."""

    steps: int
    tokens: int
    """Tokens read to learn from: the examples' in all epochs, without padding and without validation."""
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_metric: tuple[float, ...] = ()
    best_epoch: int | None = None
    """The epoch whose weights were kept, from 1; None where there was nothing to validate on."""
    seconds: float = 0.0
    """Of all attempts, as far as they count: an attempt that was stopped counts up to its last checkpoint."""
    loss_steps: tuple[int, ...] = ()
    loss_by_step: tuple[float, ...] = ()
    """The mean loss since the step before, after each of `loss_steps`."""
    epoch_steps: tuple[int, ...] = ()
    """The step at which each epoch ended."""


def mean_loss(network: nn.Module, loss: Loss | Hits, items: Sequence[Item], batch: int) -> float:
    """The mean loss over `items`, or their share of hits, without dropout and without learning."""
    network.train(False)
    total, count = 0.0, 0.0
    with torch.no_grad():
        for indices in sorted_batches([size(item) for item in items], batch):
            summed, terms = loss(network, [items[index] for index in indices])
            total, count = total + float(summed), count + float(terms)
    return total / count


class Course:
    """One training and where it stands."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        items: Sequence[Item],
        validation: Sequence[Item],
        settings: Training,
        lr: float,
        seed: int,
        title: str,
        hits: Hits | None,
        checkpoints: Checkpoints | None,
        hook: Hook | None = None,
    ) -> None:
        self.network, self.loss, self.hits = network, loss, hits
        self.items, self.validation = items, validation
        self.settings, self.lr, self.title = settings, lr, title
        self.checkpoints, self.hook = checkpoints, hook or Hook()
        self.sizes = [size(item) for item in items]
        self.steps_of_epoch = math.ceil(math.ceil(len(items) / settings.batch_size) / settings.accumulate)
        self.steps = settings.epochs * self.steps_of_epoch
        self.device = next(network.parameters()).device
        self.learning = trainable(network)
        self.optimizer = make_optimizer(network, settings, lr)
        self.generator = torch.Generator().manual_seed(seed)
        self.shuffle = self.generator.get_state()
        """The generator's state before this epoch's batches were drawn."""
        self.epoch = self.step = self.done = 0
        """Whole epochs, steps in all, and steps of the epoch at hand."""
        self.total, self.count = self._zero(0.0), self._zero(0.0)
        """Summed loss and terms of the epoch at hand, on the device."""
        self.trace = Trace(self.steps, self._zero(0.0), self._zero(0.0))
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.validation_metric: list[float] = []
        self.best: dict[str, Tensor] = {}
        self.earlier, self.started = 0.0, time.perf_counter()

    def run(self, meter: Meter) -> History:
        self._resume(meter)
        while self.epoch < self.settings.epochs and not self._stale():
            self._train_epoch(meter)
            self._validate()
            self.shuffle = self.generator.get_state()
            self.epoch, self.done = self.epoch + 1, 0
            self.total, self.count = self._zero(0.0), self._zero(0.0)
            self._checkpoint(epoch_ends=True)
        if self.best:
            set_tensors(self.network, self.best)
        self.network.train(False)
        self.trace.close(self.step)
        return History(
            self.step,
            self.epoch * sum(self.sizes),
            tuple(self.train_loss),
            tuple(self.validation_loss),
            tuple(self.validation_metric),
            self._best_epoch() if self.best else None,
            self._seconds(),
            tuple(self.trace.steps),
            tuple(self.trace.losses),
            tuple(self.steps_of_epoch * (epoch + 1) for epoch in range(self.epoch)),
        )

    def _train_epoch(self, meter: Meter) -> None:
        self.network.train()
        every = CHECKED.get(self.device.type, 16)
        for number, batches in enumerate(self._plan()):
            if number < self.done:
                continue  # Done before the checkpoint that this run goes on from.
            set_rate(
                self.optimizer,
                self.lr * rate_at(self.step, self.steps, self.settings.warmup, self.settings.schedule),
            )
            self._step(batches)
            self.step, self.done = self.step + 1, self.done + 1
            meter.advance(note=f"loss {self._mean():.3f}" if self.step % every == 0 else "")
            self.trace.after(self.step)
            self._checkpoint(epoch_ends=False)
        self.train_loss.append(self._mean())

    def _plan(self) -> list[list[list[int]]]:
        """The epoch's steps, each a list of batches of indices."""
        batch, accumulate = self.settings.batch_size, self.settings.accumulate
        if self.settings.batches == "grouped":
            batches = shuffled_batches(self.sizes, batch, self.generator)
        else:
            batches = random_batches(len(self.sizes), batch, self.generator)
        return [batches[start : start + accumulate] for start in range(0, len(batches), accumulate)]

    def _step(self, batches: Sequence[Sequence[int]]) -> None:
        """One step of the optimizer down the gradient of the mean loss over all `batches`."""
        self.optimizer.zero_grad(set_to_none=True)
        counted: Any = 0
        for batch in batches:
            with mixed(self.settings.precision, self.device):
                summed, terms = self.loss(self.network, [self.items[index] for index in batch])
            # The mean over several batches is known when all are read: sums are what can be added up.
            (summed if len(batches) > 1 else summed / terms).backward()  # type: ignore[no-untyped-call]
            counted = counted + terms
            self.total += summed.detach()
            self.trace.add(summed.detach(), terms)
        if len(batches) > 1:
            for parameter in self.learning:
                if parameter.grad is not None:
                    parameter.grad /= counted
        self.count += counted
        self.hook.after_gradient(self.network)
        self._add_penalty([self.items[index] for batch in batches for index in batch])
        clip(self.learning, self.settings.max_grad_norm)
        self.optimizer.step()
        self.hook.after_step(self.network)

    def _add_penalty(self, items: Sequence[Item]) -> None:
        """Add the gradient of what the hook asks for beside the loss."""
        with mixed(self.settings.precision, self.device):
            penalty = self.hook.penalty(self.network, items)
        if penalty is not None and penalty.requires_grad:
            penalty.backward()  # type: ignore[no-untyped-call]

    def _validate(self) -> None:
        if not self.validation:
            return
        batch = self.settings.batch_size
        with mixed(self.settings.precision, self.device):
            self.validation_loss.append(mean_loss(self.network, self.loss, self.validation, batch))
            if self.settings.monitor == "metric" and self.hits is not None:
                self.validation_metric.append(mean_loss(self.network, self.hits, self.validation, batch))
        if self._best_epoch() == len(self.validation_loss):
            self.best = trained_tensors(self.network)
            self.hook.on_best(self.network)

    def _best_epoch(self) -> int:
        """From 1: the highest metric, where there is one, and then the least loss; of equal ones the last."""
        metrics = self.validation_metric or [0.0] * len(self.validation_loss)
        figures = [(metric, -loss) for metric, loss in zip(metrics, self.validation_loss, strict=True)]
        return max(range(len(figures)), key=lambda index: (*figures[index], index)) + 1

    def _stale(self) -> bool:
        """Whether `patience` epochs brought nothing better."""
        patience = self.settings.patience
        return patience is not None and self.epoch > 0 and self.epoch - self._best_epoch() >= patience

    def _mean(self) -> float:
        """The mean loss of this epoch so far.

        Raises:
            NonFiniteError: it is no number.
        """
        mean = float(self.total) / float(self.count)
        if not math.isfinite(mean):
            raise NonFiniteError(f"{self.title}: the loss became {mean}", remedy=f"try lr below {self.lr:g}")
        return mean

    def _zero(self, value: float) -> Tensor:
        exact = torch.float32 if self.device.type == "mps" else torch.float64
        return torch.tensor(value, dtype=exact, device=self.device)

    def _seconds(self) -> float:
        return self.earlier + time.perf_counter() - self.started

    def _checkpoint(self, *, epoch_ends: bool) -> None:
        if self.checkpoints is None or self.step == self.steps:
            return  # After the last step what was learned is saved for good.
        if self.checkpoints.due(epoch_ends=epoch_ends):
            if self.done:
                self._mean()  # A loss that is no number is not written down.
            self.checkpoints.write(self.step, self._state())

    def _state(self) -> State:
        tensors = {"shuffle": self.shuffle, "random": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        tensors |= {f"weights.{name}": tensor for name, tensor in trained_tensors(self.network).items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer.{index}.{slot}": value.detach().cpu()
                for slot, value in slots.items()
                if isinstance(value, Tensor)
            }
        tensors |= {f"hook.{name}": tensor for name, tensor in self.hook.state().items()}
        facts = {
            "epoch": self.epoch,
            "step": self.step,
            "done": self.done,
            "total": float(self.total),
            "count": float(self.count),
            "train_loss": self.train_loss,
            "validation_loss": self.validation_loss,
            "validation_metric": self.validation_metric,
            "seconds": self._seconds(),
            "trace": self.trace.state(),
        }
        return State(tensors, facts)

    def _resume(self, meter: Meter) -> None:
        """Go on from the last checkpoint, where there is one."""
        state = self.checkpoints.read() if self.checkpoints is not None else None
        if state is None:
            return
        facts = dict(state.facts)
        self.epoch, self.step, self.done = facts["epoch"], facts["step"], facts["done"]
        self.total, self.count = self._zero(facts["total"]), self._zero(facts["count"])
        self.train_loss, self.validation_loss = facts["train_loss"], facts["validation_loss"]
        self.validation_metric, self.earlier = facts["validation_metric"], facts["seconds"]
        self.trace.restore(facts["trace"])
        set_tensors(self.network, _part(state, "weights"))
        self.best = _part(state, "best")
        self.hook.restore(_part(state, "hook"))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(state, "optimizer").items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.shuffle = state.tensors["shuffle"]
        self.generator.set_state(self.shuffle)
        torch.set_rng_state(state.tensors["random"])
        if "random.cuda" in state.tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(state.tensors["random.cuda"], self.device)
        meter.advance(self.step, note="goes on from a checkpoint")


def _part(state: State, kind: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `kind`, without it."""
    return {
        name.removeprefix(f"{kind}."): tensor
        for name, tensor in state.tensors.items()
        if name.startswith(f"{kind}.")
    }
