"""Cross-entropy and its gradient, against numpy, finite differences and scikit-learn's weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from tianti.adapt.entropy import PLAIN, Entropy, balanced_weights, smoothed, weighted
from tianti.adapt.full import Full
from tianti.core.exceptions import IncompatibleError


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def cost(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, smoothing: float) -> float:
    """Σ over items and outputs of −w[k] t[k] log p[k] with the smoothed target t."""
    outputs = logits.shape[1]
    target = (1 - smoothing) * np.eye(outputs)[labels] + smoothing / outputs
    return float(-(weights * target * np.log(softmax(logits))).sum())


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, tuple[float, ...], float]:
    outputs = draw(st.integers(2, 5))
    items = draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    weights = tuple(draw(st.floats(0.1, 5)) for _ in range(outputs))
    return (
        random.normal(scale=3, size=(items, outputs)),
        random.integers(0, outputs, items),
        weights,
        draw(st.floats(0, 0.9)),
    )


@given(problems())
def test_the_cost_is_the_formula(problem: tuple[np.ndarray, np.ndarray, tuple[float, ...], float]) -> None:
    logits, labels, weights, smoothing = problem
    summed, terms = Entropy(weights, smoothing)(torch.from_numpy(logits), torch.from_numpy(labels))
    assert float(summed) == pytest.approx(cost(logits, labels, np.array(weights), smoothing), rel=1e-10)
    assert float(terms) == pytest.approx(sum(weights[label] for label in labels))


@given(problems())
def test_the_gradient_is_the_formula_and_the_difference_quotient(
    problem: tuple[np.ndarray, np.ndarray, tuple[float, ...], float],
) -> None:
    """∂/∂z[k] = (Σ w[j] t[j]) p[k] − w[k] t[k]; without weights and smoothing p − onehot."""
    logits, labels, weights, smoothing = problem
    ours = torch.from_numpy(logits).requires_grad_(True)
    Entropy(weights, smoothing)(ours, torch.from_numpy(labels))[0].backward()
    outputs = logits.shape[1]
    weighted = np.array(weights) * ((1 - smoothing) * np.eye(outputs)[labels] + smoothing / outputs)
    derived = weighted.sum(axis=1, keepdims=True) * softmax(logits) - weighted
    np.testing.assert_allclose(ours.grad.numpy(), derived, atol=1e-10)
    step = 1e-6
    for item in range(len(labels)):
        for output in range(outputs):
            nudge = np.zeros_like(logits)
            nudge[item, output] = step
            ahead, behind = (
                float(Entropy(weights, smoothing)(torch.from_numpy(moved), torch.from_numpy(labels))[0])
                for moved in (logits + nudge, logits - nudge)
            )
            assert (ahead - behind) / (2 * step) == pytest.approx(derived[item, output], abs=1e-6)


@given(st.floats(-8, 8), st.floats(-8, 8), st.integers(0, 1))
def test_two_outputs_are_binary_cross_entropy_of_their_difference(
    first: float, second: float, label: int
) -> None:
    """−y log σ(d) − (1 − y) log(1 − σ(d)) with d = z₁ − z₀, whose derivative is σ(d) − y."""
    logits = torch.tensor([[first, second]], dtype=torch.float64, requires_grad=True)
    summed, _ = PLAIN(logits, torch.tensor([label]))
    summed.backward()
    likely = 1 / (1 + np.exp(first - second))
    assert summed.item() == pytest.approx(-np.log(likely if label else 1 - likely), rel=1e-9)
    np.testing.assert_allclose(logits.grad.numpy()[0], [label - likely, likely - label], atol=1e-12)


def test_choices_that_are_not_there_take_no_part() -> None:
    """A question of two choices beside one of three costs the same as alone."""
    entropy = Entropy(smoothing=0.2)
    beside = torch.tensor([[0.3, -1.0, -torch.inf], [0.1, 0.2, 0.3]], dtype=torch.float64, requires_grad=True)
    summed, terms = entropy(beside, torch.tensor([1, 2]))
    summed.backward()
    first, _ = entropy(torch.tensor([[0.3, -1.0]], dtype=torch.float64), torch.tensor([1]))
    second, _ = entropy(torch.tensor([[0.1, 0.2, 0.3]], dtype=torch.float64), torch.tensor([2]))
    assert summed.item() == pytest.approx((first + second).item())
    assert terms == 2
    assert torch.isfinite(beside.grad).all()
    assert beside.grad[0, 2] == 0


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_balanced_weights_are_scikit_learns(labels: list[int]) -> None:
    weights = balanced_weights(labels, 4)
    seen = sorted(set(labels))
    expected = compute_class_weight("balanced", classes=np.array(seen), y=labels)
    assert [weights[label] for label in seen] == pytest.approx(list(expected))
    assert all(weights[label] == 1 for label in set(range(4)) - set(seen))
    assert sum(weights[label] for label in labels) == pytest.approx(len(labels))


def test_weights_are_given_or_balanced_or_none() -> None:
    assert weighted(Full(), [0, 1], ("a", "b")) == PLAIN
    assert weighted(Full(class_weights=(1.0, 3.0)), [0, 1], ("a", "b")).weights == (1.0, 3.0)
    balanced = weighted(Full(class_weights="balanced", label_smoothing=0.1), [0, 0, 0, 1], ("a", "b"))
    assert balanced.weights == pytest.approx((2 / 3, 2))
    assert balanced.smoothing == 0.1
    with pytest.raises(IncompatibleError, match=r"2 weights, and the task has 3 labels"):
        weighted(Full(class_weights=(1.0, 3.0)), [0], ("a", "b", "c"))


def test_texts_and_choices_have_no_classes() -> None:
    assert smoothed(Full(label_smoothing=0.1)) == Entropy(smoothing=0.1)
    with pytest.raises(IncompatibleError, match="class_weights needs an output for each label"):
        smoothed(Full(class_weights="balanced"))
