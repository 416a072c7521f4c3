"""Heads on frozen features: logistic regression, and a scoring vector over choices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from tianti.adapt import saving
from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.learning import answering
from tianti.adapt.lesson import Lesson
from tianti.adapt.memory import AddedMemory
from tianti.adapt.networks import PooledNetwork, TokenNetwork, compute_features, shared_copy
from tianti.adapt.objectives import choose_objective
from tianti.adapt.output_heads import fit_output, with_own_output
from tianti.adapt.samples import size
from tianti.adapt.token_heads import fit_tokens
from tianti.adapt.training import isolated_randomness, set_tensors, trained_tensors
from tianti.core.progress import Progress

Floats = NDArray[np.float64]

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Weights of the squared norm in the loss per example, tried from the smallest."""


def learn_head(lesson: Lesson, folder: Path, progress: Progress) -> Adapted:
    """Fit the head that the model's architecture asks for, or load from `folder` what was fitted before."""
    memory = AddedMemory(lesson.model.pair()[0].device)
    network = _network(lesson)
    found = saving.load(folder, lesson.identity)
    if found is not None:
        tensors, cost = found
        set_tensors(network, tensors)
        return Adapted(answering(network, choose_objective(lesson)), cost, network, tuple(tensors))
    started = time.perf_counter()
    with progress.meter(f"head-only · {lesson.task.info.name}", None) as meter:
        fit = _fitting(network)
        cost = fit(network, lesson)
        meter.advance(note=f"validation loss {min(cost.validation):.3f}")
    tensors = trained_tensors(network)
    cost = replace(
        cost,
        trainable_parameters=sum(tensor.numel() for tensor in tensors.values()),
        total_parameters=sum(parameter.numel() for parameter in network.parameters()),
        seconds=time.perf_counter() - started,
        added_memory_bytes=memory.most,
    )
    cost = replace(cost, saved_bytes=saving.save(folder, lesson.identity, tensors, cost))
    return Adapted(answering(network, choose_objective(lesson)), cost, network, tuple(tensors))


def _fitting(network: Any) -> Callable[[Any, Lesson], Cost]:
    """What fits the head of a network."""
    if isinstance(network, TokenNetwork):
        return fit_tokens
    return _fit_pooled if isinstance(network, PooledNetwork) else fit_output


def _network(lesson: Lesson) -> Any:
    """A copy with shared frozen weights, in which the head alone requires a gradient."""
    original, _ = lesson.model.pair()
    network = shared_copy(original)
    if lesson.model.model.architecture in ("causal", "seq2seq"):
        return with_own_output(network)
    with isolated_randomness(lesson.draw, original.device):
        return choose_objective(lesson).build(lambda _: network.base_model)


def _fit_pooled(network: PooledNetwork, lesson: Lesson) -> Cost:
    """Fit the head of `network` to its optimum, for labels or for choices."""
    objective = choose_objective(lesson)
    examples, held = lesson.examples(lesson.adaptation.max_examples)
    parts: list[Sequence[Any]] = [objective.items(network, part) for part in (examples, held) if part]
    features = [_features(network, part) for part in parts]
    tokens = sum(size(item) for part in parts for item in part)
    if not held:  # The examples that it was fitted on choose among the fits, too; nothing is read twice.
        parts, features = parts * 2, features * 2
    mean, spread = _standard(np.concatenate(features[0]))
    standard = [[(rows - mean) / spread for rows in part] for part in features]
    labels = [[item.label for item in part] for part in parts]
    fit = fit_labels if lesson.form == "labels" else fit_choices
    outputs = network.head.out_features
    fits = [fit(standard[0], labels[0], outputs, penalty) for penalty in PENALTIES]
    losses = [_pooled_loss(standard[1], labels[1], *found) for found in fits]
    weight, bias = fits[int(np.argmin(losses))]
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weight / spread))
        network.head.bias.copy_(torch.from_numpy(bias - (weight / spread) @ mean))
    return Cost(
        examples=len(examples),
        tokens=tokens,
        train_loss=(_pooled_loss(standard[0], labels[0], weight, bias),),
        validation=(min(losses),),
    )


def fit_labels(
    features: Sequence[Floats], labels: Sequence[int], outputs: int, penalty: float
) -> tuple[Floats, Floats]:
    """Multinomial logistic regression: weight [outputs, width] and bias [outputs] that make

        mean cross-entropy + penalty / 2 · |weight|²

    smallest. `features` holds one array [1, width] for each example.
    """
    from sklearn.linear_model import LogisticRegression

    rows, seen = np.concatenate(features), sorted(set(labels))
    weight, bias = np.zeros((outputs, rows.shape[1])), np.full(outputs, -30.0)
    bias[seen] = 0.0  # a label without an example is never chosen
    if len(seen) > 1:
        # With two labels scikit-learn fits the difference of two opposite weights: half the squared norm.
        strength = penalty / 2 if len(seen) == 2 else penalty
        model = LogisticRegression(C=1 / (strength * len(rows)), max_iter=1000, tol=1e-6).fit(rows, labels)
        coefficients, intercepts = model.coef_, model.intercept_
        if len(seen) == 2:
            coefficients = np.vstack((-coefficients, coefficients)) / 2
            intercepts = np.array([-1, 1]) * intercepts / 2
        weight[seen], bias[seen] = coefficients, intercepts
    return weight, bias


def fit_choices(
    features: Sequence[Floats], labels: Sequence[int], outputs: int, penalty: float
) -> tuple[Floats, Floats]:
    """Conditional logit (McFadden 1974): the weight [1, width] that makes

        mean over examples of -log softmax(features · weight)[label] + penalty / 2 · |weight|²

    smallest, by L-BFGS; the bias is 0, as all choices would share it. `features` holds one array [choices, width] for
    each example.
    """
    longest = max(map(len, features))
    width = features[0].shape[1]
    rows = torch.zeros(len(features), longest, width, dtype=torch.float64)
    absent = torch.ones(len(features), longest, dtype=torch.bool)
    for index, part in enumerate(features):
        rows[index, : len(part)] = torch.from_numpy(part)
        absent[index, : len(part)] = False
    target = torch.tensor(labels)
    weight = torch.zeros(width, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight], max_iter=1000, tolerance_grad=1e-8, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        scores = (rows @ weight).masked_fill(absent, -torch.inf)
        loss = cross_entropy(scores, target) + penalty / 2 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach().numpy()[None], np.zeros(1)


def _features(network: PooledNetwork, items: Sequence[Any]) -> list[Floats]:
    """For each item its rows' features, [rows, width]."""
    found = compute_features(network, items)
    return np.split(found.double().numpy(), np.cumsum([len(item.rows) for item in items])[:-1])


def _standard(rows: Floats) -> tuple[Floats, Floats]:
    """Mean and spread of each feature; a constant one keeps its scale."""
    spread = rows.std(axis=0)
    return rows.mean(axis=0), np.where(spread > 1e-8, spread, 1.0)


def _pooled_loss(features: Sequence[Floats], labels: Sequence[int], weight: Floats, bias: Floats) -> float:
    """Mean cross-entropy of the right label or choice."""
    total = 0.0
    for rows, label in zip(features, labels, strict=True):
        scores = (rows @ weight.T + bias).ravel()
        total += float(np.logaddexp.reduce(scores) - scores[label])
    return total / len(labels)
