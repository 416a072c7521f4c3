"""The steps of the optimizers, against numpy, and the learning rate over time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tianti.adapt.optimizers import DecoupledSGD, clip, make_optimizer, rate_at, set_rate, trainable
from tianti.adapt.options import Training
from tianti.core.exceptions import IncompatibleError

DATA = np.random.default_rng(5).normal(size=(12, 3))
WANTED = np.random.default_rng(6).normal(size=(12, 2))


class Plan(Training):
    name = "test"


class Affine(nn.Module):
    """x → x Wᵀ + b in float64, a matrix that decays and a vector that does not."""

    def __init__(self) -> None:
        super().__init__()
        draw = np.random.default_rng(7)
        self.weight = nn.Parameter(torch.from_numpy(draw.normal(size=(2, 3))))
        self.bias = nn.Parameter(torch.from_numpy(draw.normal(size=2)))

    def loss(self) -> Tensor:
        outputs = torch.from_numpy(DATA) @ self.weight.T + self.bias
        return (outputs - torch.from_numpy(WANTED)).square().mean()


def gradients(weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By hand: d/dW mean (x Wᵀ + b − y)² = 2/n (x Wᵀ + b − y)ᵀ x, and the sum over rows for b."""
    wrong = 2 / WANTED.size * (DATA @ weight.T + bias - WANTED)
    return wrong.T @ DATA, wrong.sum(axis=0)


def steps(settings: Training, rates: list[float]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The parameters after each step of our optimizer."""
    network = Affine()
    optimizer = make_optimizer(network, settings, rates[0])
    for rate in rates:
        set_rate(optimizer, rate)
        optimizer.zero_grad()
        network.loss().backward()
        optimizer.step()
        yield network.weight.detach().numpy().copy(), network.bias.detach().numpy().copy()


RATES = [0.1, 0.05, 0.2, 0.01]


def test_a_step_of_sgd_is_the_gradient_step_with_decoupled_decay() -> None:
    """θ ← θ − η ∇L(θ) − η λ θ, the formula of docs/concepts/learning.md."""
    weight, bias = Affine().weight.detach().numpy().copy(), Affine().bias.detach().numpy().copy()
    settings = Plan(optimizer="sgd", momentum=0.0, weight_decay=0.3)
    for rate, (ours, our_bias) in zip(RATES, steps(settings, RATES), strict=True):
        slope, bias_slope = gradients(weight, bias)
        weight = weight - rate * slope - rate * 0.3 * weight
        bias = bias - rate * bias_slope
        np.testing.assert_allclose(ours, weight, rtol=0, atol=1e-15)
        np.testing.assert_allclose(our_bias, bias, rtol=0, atol=1e-15)


def test_decay_does_not_go_through_momentum() -> None:
    """Loshchilov & Hutter 2019, algorithm 1: m ← μ m + ∇L, θ ← θ − η m − η λ θ."""
    weight, bias = Affine().weight.detach().numpy().copy(), Affine().bias.detach().numpy().copy()
    moved, bias_moved = np.zeros_like(weight), np.zeros_like(bias)
    settings = Plan(optimizer="sgd", momentum=0.8, weight_decay=0.3)
    for rate, (ours, our_bias) in zip(RATES, steps(settings, RATES), strict=True):
        slope, bias_slope = gradients(weight, bias)
        moved, bias_moved = 0.8 * moved + slope, 0.8 * bias_moved + bias_slope
        weight = weight - rate * moved - rate * 0.3 * weight
        bias = bias - rate * bias_moved
        np.testing.assert_allclose(ours, weight, rtol=0, atol=1e-15)
        np.testing.assert_allclose(our_bias, bias, rtol=0, atol=1e-15)


def test_steps_of_adamw_are_those_of_its_paper() -> None:
    """Loshchilov & Hutter 2019, algorithm 2, with a rate that changes from step to step."""
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    theta = [Affine().weight.detach().numpy().copy(), Affine().bias.detach().numpy().copy()]
    first, second = [np.zeros_like(part) for part in theta], [np.zeros_like(part) for part in theta]
    for number, (rate, ours) in enumerate(
        zip(RATES, steps(Plan(weight_decay=0.3), RATES), strict=True), start=1
    ):
        for index, (slope, decay) in enumerate(zip(gradients(*theta), (0.3, 0.0), strict=True)):
            first[index] = beta1 * first[index] + (1 - beta1) * slope
            second[index] = beta2 * second[index] + (1 - beta2) * slope**2
            scaled = (first[index] / (1 - beta1**number)) / (
                np.sqrt(second[index] / (1 - beta2**number)) + epsilon
            )
            theta[index] = theta[index] - rate * scaled - rate * decay * theta[index]
            np.testing.assert_allclose(ours[index], theta[index], rtol=0, atol=1e-12)


def test_a_parameter_without_a_gradient_does_not_decay() -> None:
    """As in torch's optimizers: what took no part in the step is not touched by it."""
    network = Affine()
    before = network.weight.detach().clone()
    optimizer = make_optimizer(network, Plan(optimizer="sgd", weight_decay=0.3), 0.1)
    assert isinstance(optimizer, DecoupledSGD)
    network.bias.sum().backward()
    optimizer.step()
    assert torch.equal(network.weight, before)


def test_frozen_parameters_are_left_out() -> None:
    network = Affine()
    network.weight.requires_grad_(False)
    assert trainable(network) == [network.bias]
    groups = make_optimizer(network, Plan(), 0.1).param_groups
    assert [group["params"] for group in groups] == [[network.bias]]


class Headed(nn.Module):
    """A body and a fresh head on it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = Affine(), Affine()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_head_has_a_rate_of_its_own_that_follows_the_schedule(optimizer: str) -> None:
    """One step of each half is that of a network which has nothing else, at its rate."""
    network = Headed()
    settings = Plan(optimizer=optimizer, head_lr=0.5, weight_decay=0.3)
    made = make_optimizer(network, settings, 0.1)
    for share in (0.5, 1.0):
        set_rate(made, 0.1 * share)
        made.zero_grad()
        (network.body.loss() + network.head.loss()).backward()
        made.step()
    plain = Plan(optimizer=optimizer, weight_decay=0.3)
    for part, rate in ((network.body, 0.1), (network.head, 0.5)):
        *_, (weight, bias) = steps(plain, [rate * 0.5, rate])
        np.testing.assert_allclose(part.weight.detach(), weight, rtol=1e-10)
        np.testing.assert_allclose(part.bias.detach(), bias, rtol=1e-10)


def test_a_rate_for_a_head_that_is_not_there_is_refused() -> None:
    with pytest.raises(IncompatibleError, match="head_lr is the rate of a fresh head"):
        make_optimizer(Affine(), Plan(head_lr=0.5), 0.1)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_a_long_gradient_is_scaled_and_a_short_one_left(length: float, largest: float) -> None:
    network = Affine()
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    for parameter in network.parameters():
        parameter.grad *= length / np.sqrt(8)
    clip(network.parameters(), largest)
    found = np.sqrt(sum(float(parameter.grad.square().sum()) for parameter in network.parameters()))
    assert found == pytest.approx(min(length, largest), rel=2e-4)  # torch adds 1e-6 to the norm


@given(st.integers(1, 300), st.floats(0, 1), st.sampled_from(["linear", "cosine", "constant"]))
def test_the_rate_rises_and_then_never_rises_again(steps: int, warmup: float, schedule: str) -> None:
    rates = [rate_at(step, steps, warmup, schedule) for step in range(steps)]
    top = rates.index(max(rates))
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_the_schedules_in_the_middle() -> None:
    assert [rate_at(step, 4, 0.0, "cosine") for step in range(4)] == pytest.approx(
        [1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2]
    )
    assert [rate_at(step, 4, 0.0, "constant") for step in range(4)] == [1] * 4
