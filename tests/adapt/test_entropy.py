"""Cross-entropy and its gradient, against numpy, finite differences and scikit-learn's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from tianti.adapt.entropy import PLAIN, Entropy, balanced_weights, smoothed, weighted
from tianti.adapt.full import Full
from tianti.adapt.learning import untrained
from tianti.adapt.lesson import Lesson
from tianti.adapt.objectives import choose_objective
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine import ChooseRequest
from tianti.models import from_objects
from tiny import tiny_bert, tiny_tokenizer


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


def rare(task: Any) -> Any:
    """A labels task of 26 reviews to learn, two of them of the second label, which no word gives away."""
    common, uncommon = (
        [replace(each, text="This film is a film.", label=label, target=name, continuation=f" {name}")
         for each in task.train[:count]]
        for label, name, count in ((0, "right", 24), (1, "wrong", 2))
    )  # fmt: skip
    task.train, task.validation = common + uncommon, common[:6] + uncommon
    return task


def mean_cost(network: Any, loaded: Any, examples: Sequence[Any], weights: Any, smoothing: float) -> float:
    """The cost of labels by the formula above, from the network's logits for each text alone."""
    rows = [loaded.tokenizer(each.text, return_tensors="pt")["input_ids"] for each in examples]
    with torch.no_grad():
        read = [network.body(row).last_hidden_state[0].mean(dim=0) @ network.head.weight.T for row in rows]
        logits = np.array([(one + network.head.bias).double().numpy() for one in read])
    labels = np.array([each.label for each in examples])
    return cost(logits, labels, np.array(weights), smoothing) / sum(weights[label] for label in labels)


@pytest.mark.parametrize(
    ("settings", "weights", "smoothing"),
    [
        ({}, (1.0, 1.0), 0.0),
        ({"class_weights": (0.5, 20.0), "label_smoothing": 0.2}, (0.5, 20.0), 0.2),
        ({"class_weights": "balanced", "label_smoothing": 0.1}, (26 / 48, 26 / 4), 0.1),
    ],
)
def test_a_training_takes_its_first_step_on_the_weighted_and_smoothed_loss(
    settings: dict[str, Any], weights: Any, smoothing: float, task: Callable[[str], Any], tmp_path: Path
) -> None:
    """One batch is one step: the loss of the epoch is that of the network as it was made."""
    stub = rare(task("labels"))
    loaded = from_objects(tiny_bert(hidden_dropout_prob=0, attention_probs_dropout_prob=0), tiny_tokenizer())
    adaptation = Full(lr=1e-3, epochs=1, batch=26, **settings)
    fresh = untrained(choose_objective(Lesson(adaptation, loaded, stub, 0)), adaptation.prepare).train(False)
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path, Silent())
    first = mean_cost(fresh, loaded, stub.train, weights, smoothing)
    assert adapted.cost.steps == 1
    assert adapted.cost.train_loss == (pytest.approx(first, rel=1e-5),)
    held = mean_cost(adapted.network, loaded, stub.validation, weights, smoothing)
    assert adapted.cost.validation == (pytest.approx(held, rel=1e-5),)
    assert held != pytest.approx(first, rel=1e-3)


def test_a_rare_label_that_weighs_more_is_answered_more_often(
    task: Callable[[str], Any], tmp_path: Path
) -> None:
    stub, loaded = rare(task("labels")), from_objects(tiny_bert(), tiny_tokenizer())
    answered = {}
    for weights in (None, (1.0, 40.0)):
        adaptation = Full(lr=5e-3, epochs=4, batch=26, class_weights=weights)
        backend = adaptation.adapt(loaded, stub, 0, tmp_path / str(weights), Silent()).backend
        (answer,) = dict(backend.answer([ChooseRequest("This film is a film.", ("right", "wrong"))])).values()
        answered[weights] = int(np.argmax(answer.logprobs))  # type: ignore[union-attr]
    assert answered == {None: 0, (1.0, 40.0): 1}
