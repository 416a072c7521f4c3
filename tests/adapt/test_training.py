"""The training loop, against formulas written out in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tianti.adapt.optimizers import make_optimizer, rate_at
from tianti.adapt.options import Training
from tianti.adapt.samples import Labelled
from tianti.adapt.training import (
    isolated_randomness,
    mean_loss,
    set_tensors,
    train,
    trained_tensors,
)
from tianti.core.exceptions import IncompatibleError, NonFiniteError
from tianti.core.progress import Silent


class Plan(Training):
    name = "test"


class Line(nn.Module):
    """One number per row: weight · mean of its tokens + bias."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[0.5]]))
        self.bias = nn.Parameter(torch.tensor([0.1]))
        self.frozen = nn.Parameter(torch.tensor([3.0]), requires_grad=False)


def squares(network: Any, items: Sequence[Labelled]) -> tuple[Tensor, int]:
    """Σ (weight · token + bias − label)²."""
    inputs = torch.tensor([float(item.rows[0][0]) for item in items])
    labels = torch.tensor([float(item.label) for item in items])
    return (network.weight[0, 0] * inputs + network.bias[0] - labels).square().sum(), len(items)


def points(*pairs: tuple[int, int]) -> list[Labelled]:
    return [Labelled((np.array([x]),), y) for x, y in pairs]


def test_a_step_of_adamw_is_the_formula_of_its_paper() -> None:
    """Loshchilov & Hutter 2019, algorithm 2: decay decoupled from the gradient, none on the bias."""
    lr, decay, epsilon, (beta1, beta2) = 0.01, 0.1, 1e-8, (0.9, 0.999)
    network = Line()
    optimizer = make_optimizer(network, Plan(weight_decay=decay), lr)
    expected = {"weight": 0.5, "bias": 0.1}
    first, second = dict.fromkeys(expected, 0.0), dict.fromkeys(expected, 0.0)
    for step in range(1, 6):
        loss, _ = squares(network, points((2, 3)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slope = 2 * (expected["weight"] * 2 + expected["bias"] - 3)
        for name, gradient in (("weight", slope * 2), ("bias", slope)):
            first[name] = beta1 * first[name] + (1 - beta1) * gradient
            second[name] = beta2 * second[name] + (1 - beta2) * gradient**2
            corrected = first[name] / (1 - beta1**step), second[name] / (1 - beta2**step)
            shrink = lr * decay if name == "weight" else 0.0
            expected[name] += -shrink * expected[name] - lr * corrected[0] / (
                math.sqrt(corrected[1]) + epsilon
            )
    assert network.weight.item() == pytest.approx(expected["weight"], rel=1e-5)
    assert network.bias.item() == pytest.approx(expected["bias"], rel=1e-5)
    assert float(network.frozen) == 3.0


def test_the_gradient_is_clipped() -> None:
    """Adam's steps do not show the gradient's length, so look at the gradient that the optimiser saw."""
    seen: list[float] = []
    network = Line()
    original = torch.optim.AdamW.step

    def spy(self: Any, *args: Any, **kwargs: Any) -> Any:
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        seen.append(float(torch.cat([g.ravel() for g in gradients]).norm()))
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", spy)
        train(
            network,
            squares,
            points((50, 900)),
            [],
            Plan(epochs=2, max_grad_norm=0.5),
            1e-3,
            0,
            Silent(),
            "line",
        )
    assert seen == pytest.approx([0.5, 0.5], rel=1e-4)


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_rate_rises_then_falls(steps: int, warmup: float) -> None:
    rates = [rate_at(step, steps, warmup) for step in range(steps)]
    rising = math.ceil(warmup * steps)
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[:rising] == sorted(rates[:rising])
    assert rates[rising:] == sorted(rates[rising:], reverse=True)
    if rising < steps:
        assert max(rates) == rates[rising] == 1.0
    assert rate_at(steps, steps, warmup) == 0.0


def test_the_rates_of_a_small_plan() -> None:
    assert [rate_at(step, 6, 1 / 3) for step in range(7)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 0.75, 0.5, 0.25, 0]
    )


def test_the_best_epoch_is_kept() -> None:
    """Training pulls from 0.6 towards 9, validation wants 1: an epoch in the middle is best."""
    network = Line()
    data, wanted = points((1, 9)), points((1, 1))
    plan = Plan(epochs=6, warmup=0.0)
    history = train(network, squares, data, wanted, plan, 0.1, 0, Silent(), "line")
    best = min(history.validation_loss)
    assert best < history.validation_loss[0]
    assert best < history.validation_loss[-1]
    assert mean_loss(network, squares, wanted, 4) == pytest.approx(best)
    assert len(history.train_loss) == len(history.validation_loss) == 6


def test_without_validation_the_last_epoch_is_kept() -> None:
    network = Line()
    history = train(network, squares, points((1, 9)), [], Plan(epochs=4), 0.1, 0, Silent(), "line")
    assert history.validation_loss == ()
    assert mean_loss(network, squares, points((1, 9)), 4) < history.train_loss[-1]


def test_what_is_counted() -> None:
    data = points(*((x, x) for x in range(10)))
    history = train(Line(), squares, data, data, Plan(epochs=3, batch=4), 1e-3, 0, Silent(), "line")
    assert (history.steps, history.tokens) == (9, 30)


def test_a_loss_that_is_no_number_stops_with_a_remedy() -> None:
    def broken(network: Any, items: Sequence[Labelled]) -> tuple[Tensor, int]:
        return network.weight.sum() * math.nan, 1

    with pytest.raises(NonFiniteError, match=r"nan[\s\S]*lr below 0.1"):
        train(Line(), broken, points((1, 1)), [], Plan(), 0.1, 0, Silent(), "line")


def noisy(network: Any, items: Sequence[Labelled]) -> tuple[Tensor, int]:
    summed, count = squares(network, items)
    return summed * (1 + 0.1 * torch.rand(())), count


def test_the_seed_decides_and_global_randomness_neither_matters_nor_moves() -> None:
    def weights(seed: int, outside: int) -> list[float]:
        torch.manual_seed(outside)
        state = torch.get_rng_state()
        network = Line()
        data = points(*((x, 2 * x) for x in range(9)))
        train(network, noisy, data, data, Plan(batch=2), 0.01, seed, Silent(), "line")
        assert torch.equal(torch.get_rng_state(), state)
        return [network.weight.item(), network.bias.item()]

    assert weights(0, 1) == weights(0, 2)
    assert weights(0, 1) != weights(1, 1)


def test_isolated_randomness_survives_an_error() -> None:
    state = torch.get_rng_state()
    with pytest.raises(IndexError), isolated_randomness(3, torch.device("cpu")):
        torch.rand(3)[5]
    assert torch.equal(torch.get_rng_state(), state)


def test_trained_tensors_are_copies_of_what_learns() -> None:
    network = Line()
    taken = trained_tensors(network)
    assert set(taken) == {"weight", "bias"}
    with torch.no_grad():
        network.weight.fill_(7)
    assert float(taken["weight"]) == 0.5
    set_tensors(network, taken)
    assert network.weight.item() == 0.5


def trained(plan: Plan, data: list[Labelled], *, seed: int = 0, held: list[Labelled] | None = None) -> Line:
    network = Line()
    train(network, squares, data, held or [], plan, 0.02, seed, Silent(), "line")
    return network


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_accumulated_batches_make_the_step_of_the_larger_one(optimizer: str) -> None:
    data = points(*((x, 3 * x % 7) for x in range(23)))
    one = trained(Plan(batch=8, batches="random", optimizer=optimizer, epochs=4), data)
    several = trained(Plan(batch=2, accumulate=4, batches="random", optimizer=optimizer, epochs=4), data)
    assert several.weight.item() == pytest.approx(one.weight.item(), abs=1e-6)
    assert several.bias.item() == pytest.approx(one.bias.item(), abs=1e-6)
    assert one.weight.item() != pytest.approx(0.5, abs=1e-2)


def test_accumulation_counts_steps_of_the_optimizer() -> None:
    data = points(*((x, x) for x in range(10)))
    history = train(
        Line(), squares, data, [], Plan(epochs=3, batch=2, accumulate=3), 1e-3, 0, Silent(), "line"
    )
    assert (history.steps, history.tokens) == (6, 30)


def test_training_stops_when_nothing_gets_better() -> None:
    """Training pulls away from what validation wants, so the first epoch stays the best."""
    network = Line()
    plan = Plan(epochs=20, warmup=0.0, patience=2)
    history = train(network, squares, points((1, 9)), points((1, 0)), plan, 0.1, 0, Silent(), "line")
    assert history.best_epoch == 1
    assert len(history.validation_loss) == len(history.train_loss) == history.steps == 3
    assert mean_loss(network, squares, points((1, 0)), 4) == pytest.approx(history.validation_loss[0])


def test_a_metric_chooses_the_epoch_and_the_loss_among_equals() -> None:
    shares = iter([0.5, 1.0, 1.0, 0.25])

    def hits(network: Any, items: Sequence[Labelled]) -> tuple[float, int]:
        return next(shares) * len(items), len(items)

    plan = Plan(epochs=4, monitor="metric")
    history = train(
        Line(), squares, points((1, 9)), points((1, 9)), plan, 0.1, 0, Silent(), "line", hits=hits
    )
    assert history.validation_metric == (0.5, 1.0, 1.0, 0.25)
    assert history.best_epoch == 3  # the loss falls, and so is less than in epoch 2
    assert history.validation_loss[3] < history.validation_loss[2] < history.validation_loss[1]


@pytest.mark.parametrize(
    ("setting", "named"), [({"monitor": "metric"}, "monitor"), ({"patience": 1}, "patience")]
)
def test_what_needs_validation_is_refused_without(setting: dict[str, Any], named: str) -> None:
    with pytest.raises(IncompatibleError, match=f"{named}.*needs examples to validate on"):
        train(
            Line(),
            squares,
            points((1, 1)),
            [],
            Plan(**setting),
            0.1,
            0,
            Silent(),
            "line",
            hits=lambda *_: (0.0, 1),
        )


def test_a_form_without_hits_has_no_metric() -> None:
    plan = Plan(monitor="metric")
    with pytest.raises(IncompatibleError, match="no metric"):
        train(Line(), squares, points((1, 1)), points((1, 1)), plan, 0.1, 0, Silent(), "line")


def test_a_plan_without_a_number_of_examples_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="batch is auto"):
        train(Line(), squares, points((1, 1)), [], Plan(batch="auto"), 0.1, 0, Silent(), "line")
