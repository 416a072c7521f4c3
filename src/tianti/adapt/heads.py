"""Heads on frozen features: logistic regression, a scoring vector over choices, a model's own output layer."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tianti.adapt import saving
from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.learning import answering
from tianti.adapt.lesson import Lesson
from tianti.adapt.memory import PeakMemory
from tianti.adapt.networks import PooledNetwork, TokenNetwork, compute_features, shared_copy
from tianti.adapt.objectives import choose_objective
from tianti.adapt.samples import pad, size, sorted_batches, windows
from tianti.adapt.token_heads import fit_tokens
from tianti.adapt.training import isolated_randomness, set_tensors, trained_tensors
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Progress
from tianti.engine.tokens import Window

Floats = NDArray[np.float64]

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Weights of the squared norm in the loss per example, tried from the smallest."""

PATIENCE = 3
"""Passes without a better validation loss after which an output head is done."""


def learn_head(lesson: Lesson, folder: Path, progress: Progress) -> Adapted:
    """Fit the head that the model's architecture asks for, or load from `folder` what was fitted before."""
    network = _network(lesson)
    found = saving.load(folder, lesson.identity)
    if found is not None:
        tensors, cost = found
        set_tensors(network, tensors)
        return Adapted(answering(network, choose_objective(lesson)), cost, network, tuple(tensors))
    started = time.perf_counter()
    with progress.meter(f"head-only · {lesson.task.info.name}", None) as meter, PeakMemory(network) as memory:
        fit = _fitting(network)
        cost = fit(network, lesson)
        meter.advance(note=f"validation loss {min(cost.validation):.3f}")
    tensors = trained_tensors(network)
    cost = replace(
        cost,
        trainable_parameters=sum(tensor.numel() for tensor in tensors.values()),
        total_parameters=sum(parameter.numel() for parameter in network.parameters()),
        seconds=time.perf_counter() - started,
        peak_memory_bytes=memory.peak,
    )
    cost = replace(cost, saved_bytes=saving.save(folder, lesson.identity, tensors, cost))
    return Adapted(answering(network, choose_objective(lesson)), cost, network, tuple(tensors))


def _fitting(network: Any) -> Callable[[Any, Lesson], Cost]:
    """What fits the head of a network."""
    if isinstance(network, TokenNetwork):
        return fit_tokens
    return _fit_pooled if isinstance(network, PooledNetwork) else _fit_output


def _network(lesson: Lesson) -> Any:
    """A copy with shared frozen weights, in which the head alone requires a gradient."""
    original, _ = lesson.model.pair()
    network = shared_copy(original)
    if lesson.model.model.architecture == "causal":
        return _with_own_output(network)
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


def _with_own_output(network: Any) -> Any:
    """The network with an output layer of its own, no longer tied to the embedding."""
    network.set_output_embeddings(copy.deepcopy(network.get_output_embeddings()).requires_grad_(True))
    network.config.tie_word_embeddings = False
    return network


def _fit_output(network: Any, lesson: Lesson) -> Cost:
    """Train the output layer on the hidden states before each answer's tokens; keep the best pass."""
    _, tokenizer = lesson.model.pair()
    options = lesson.adaptation
    examples, held = lesson.examples(options.max_examples)
    parts = [
        windows(part, network, tokenizer, options.max_length, ends=lesson.is_written)
        for part in (examples, held)
        if part
    ]
    _check_linear(network, parts[0])
    read = [_answer_states(network, part) for part in parts]
    (states, targets), (held_states, held_targets) = read[0], read[-1]
    head = copy.deepcopy(network.get_output_embeddings()).float()
    optimizer = torch.optim.AdamW(head.parameters(), lr=options.lr, weight_decay=0.0)
    generator = torch.Generator().manual_seed(lesson.draw)
    train_losses, losses, steps = [], [_output_loss(head, held_states, held_targets)], 0
    best = {name: tensor.clone() for name, tensor in head.state_dict().items()}
    for _ in range(options.epochs):
        total = 0.0
        for batch in torch.split(torch.randperm(len(states), generator=generator), 64):
            loss = cross_entropy(
                head(states[batch].to(head.weight.device)), targets[batch].to(head.weight.device)
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total, steps = total + float(loss.detach()) * len(batch), steps + 1
        train_losses.append(total / len(states))
        losses.append(_output_loss(head, held_states, held_targets))
        if losses[-1] == min(losses):
            best = {name: tensor.clone() for name, tensor in head.state_dict().items()}
        elif len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
            break
    network.get_output_embeddings().load_state_dict(best)
    tokens = sum(size(window) for part in parts for window in part)
    return Cost(
        examples=len(examples),
        steps=steps,
        tokens=tokens,
        train_loss=tuple(train_losses),
        validation=tuple(losses),
    )


def _check_linear(network: Any, read: Sequence[Window]) -> None:
    """Look at a few tokens whether the model's logits are one linear layer of its last hidden state.

    Raises:
        IncompatibleError: they are more.
    """
    head = network.get_output_embeddings()
    ids, mask = pad([read[0].tokens[:8]], 0, head.weight.device)
    network.train(False)
    with torch.no_grad():
        hidden = network.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        logits = network(input_ids=ids, attention_mask=mask, use_cache=False).logits
        if not torch.allclose(head(hidden), logits, atol=1e-3, rtol=1e-3):
            raise IncompatibleError(
                f"head-only does not fit {type(network).__name__}: its logits are more than one linear layer of its "
                "hidden state",
                remedy="use lora or full",
            )


def _answer_states(network: Any, read: Sequence[Window]) -> tuple[Tensor, Tensor]:
    """The last hidden state before each answer token, [tokens, width] in float32 on the CPU, and the tokens."""
    head = network.get_output_embeddings()
    states: list[Tensor] = [torch.empty(0)] * len(read)
    network.train(False)
    with torch.no_grad():
        for batch in sorted_batches([size(window) for window in read], 32):
            ids, mask = pad([read[index].tokens[:-1] for index in batch], 0, head.weight.device)
            hidden = network.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            for row, index in enumerate(batch):
                end = len(read[index].tokens) - 1
                states[index] = hidden[row, end - read[index].scored : end].float().cpu()
    targets = [torch.from_numpy(window.tokens[-window.scored :].copy()).long() for window in read]
    return torch.cat(states), torch.cat(targets)


def _output_loss(head: nn.Module, states: Tensor, targets: Tensor) -> float:
    """Mean cross-entropy per answer token."""
    total = 0.0
    with torch.no_grad():
        for rows, tokens in zip(torch.split(states, 1024), torch.split(targets, 1024), strict=True):
            device = next(head.parameters()).device
            total += float(cross_entropy(head(rows.to(device)), tokens.to(device), reduction="sum"))
    return total / len(targets)
