"""A language model's own output head, trained on the states that it reads before the answers' tokens.

The body is frozen, so those states are computed once. The head of an encoder–decoder model reads its decoder's states.
What the model does with its states before the head (T5 scales them) and behind it (BART adds a vector) stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tianti.adapt.adaptation import Cost
from tianti.adapt.lesson import Lesson
from tianti.adapt.objectives import choose_objective
from tianti.adapt.objectives.seq2seq_text import pair_inputs
from tianti.adapt.samples import pad, size, sorted_batches
from tianti.core.exceptions import IncompatibleError

PATIENCE = 3
"""Passes without a better validation loss after which an output head is done."""

BATCH = 32
"""Texts that are read at once."""


def with_own_output(network: Any) -> Any:
    """The network with an output head of its own, no longer tied to the embedding.

    Raises:
        IncompatibleError: it has no output head.
    """
    head = network.get_output_embeddings()
    if not isinstance(head, nn.Linear):
        raise _more_than_linear(network)
    network.set_output_embeddings(copy.deepcopy(head).requires_grad_(True))
    if not network.config.is_encoder_decoder:
        # An encoder–decoder model may ask its config whether it scales its states (UMT5), so there it stays as it is.
        network.config.tie_word_embeddings = False
    return network


def fit_output(network: Any, lesson: Lesson) -> Cost:
    """Train the output head on the states before each answer's tokens; keep the best pass."""
    options = lesson.adaptation
    objective = choose_objective(lesson)
    examples, held = lesson.examples(options.max_examples)
    parts = [objective.items(network, part) for part in (examples, held) if part]
    _check_linear(network, parts[0][0])
    read = [_answer_states(network, part) for part in parts]
    (states, targets), (held_states, held_targets) = read[0], read[-1]
    fitted = _Fitted(network, _scale(network, states))
    optimizer = torch.optim.AdamW(fitted.head.parameters(), lr=options.lr, weight_decay=0.0)
    generator = torch.Generator().manual_seed(lesson.draw)
    train_losses, losses, steps = [], [fitted.mean_loss(held_states, held_targets)], 0
    best = fitted.state()
    for _ in range(options.epochs):
        total = 0.0
        for batch in torch.split(torch.randperm(len(states), generator=generator), 64):
            loss = fitted.loss(states[batch], targets[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total, steps = total + float(loss.detach()) * len(batch), steps + 1
        train_losses.append(total / len(states))
        losses.append(fitted.mean_loss(held_states, held_targets))
        if losses[-1] == min(losses):
            best = fitted.state()
        elif len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
            break
    network.get_output_embeddings().load_state_dict(best)
    return Cost(
        examples=len(examples),
        steps=steps,
        tokens=sum(size(item) for part in parts for item in part),
        train_loss=tuple(train_losses),
        validation=tuple(losses),
    )


class _Fitted:
    """A copy of a network's output head in float32, and what the network adds to its outputs.

    Its weight is `scale` times as large and it reads states divided by `scale`, which gives the same outputs.
    """

    def __init__(self, network: Any, scale: float) -> None:
        self.head = copy.deepcopy(network.get_output_embeddings()).float()
        self.head.weight.data.mul_(scale)
        self.scale, self.added = scale, _added(network)

    def state(self) -> dict[str, Tensor]:
        """The head's weights as they are now, for the states as the network has them."""
        state = {name: tensor.clone() for name, tensor in self.head.state_dict().items()}
        return state | {"weight": state["weight"] / self.scale}

    def loss(self, states: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
        """Cross-entropy of the answers' tokens."""
        device = self.head.weight.device
        scores = self.head(states.to(device) / self.scale) + self.added
        return cross_entropy(scores, targets.to(device), reduction=reduction)

    def mean_loss(self, states: Tensor, targets: Tensor) -> float:
        """Mean cross-entropy per answer token, without gradients."""
        total = 0.0
        with torch.no_grad():
            for rows, tokens in zip(torch.split(states, 1024), torch.split(targets, 1024), strict=True):
                total += float(self.loss(rows, tokens, "sum"))
        return total / len(targets)


def _scale(network: Any, states: Tensor) -> float:
    """The root mean square of an encoder–decoder model's states, 1 for a causal model.

    A step of Adam moves each weight by about the learning rate, however large the states are. T5 divides its states by
    the root of their width, and its head would learn as much more slowly.
    """
    if not network.config.is_encoder_decoder:
        return 1.0
    return float(states.square().mean().sqrt()) or 1.0


def _added(network: Any) -> Any:
    """What BART and its kin add to the head's outputs, in float32; 0 for others."""
    bias = getattr(network, "final_logits_bias", None)
    return 0.0 if bias is None else bias.detach().float()[0]


def _check_linear(network: Any, item: Any) -> None:
    """Look at one example whether the model's logits are one linear layer of what its output head reads.

    Raises:
        IncompatibleError: they are more.
    """
    network.train(False)
    head = network.get_output_embeddings()
    inputs, _, _ = _inputs(network, [item])
    with torch.no_grad(), _heard(head, alone=False) as heard:
        logits = network(**inputs, use_cache=False).logits
    with torch.no_grad():
        if len(heard) != 1 or not torch.allclose(
            head(heard[0]).float() + _added(network), logits.float(), atol=1e-3, rtol=1e-3
        ):
            raise _more_than_linear(network)


def _more_than_linear(network: Any) -> IncompatibleError:
    return IncompatibleError(
        f"head-only does not fit {type(network).__name__}: its logits are more than one linear layer of its "
        "hidden state",
        remedy="use lora or full",
    )


def _answer_states(network: Any, items: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """What the head reads before each answer token, [tokens, width] in float32 on the CPU, and the tokens."""
    states: list[Tensor] = [torch.empty(0)] * len(items)
    targets: list[Tensor] = [torch.empty(0)] * len(items)
    network.train(False)
    with torch.no_grad(), _heard(network.get_output_embeddings(), alone=True) as heard:
        for batch in sorted_batches([size(item) for item in items], BATCH):
            inputs, tokens, kept = _inputs(network, [items[index] for index in batch])
            network(**inputs, use_cache=False)
            hidden = heard.pop()
            for row, index in enumerate(batch):
                states[index] = hidden[row][kept[row]].float().cpu()
                targets[index] = tokens[row][kept[row]].cpu()
    return torch.cat(states), torch.cat(targets)


def _inputs(network: Any, items: Sequence[Any]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What the network reads, the token that follows each place [rows, places], and which of them are of an answer."""
    if network.config.is_encoder_decoder:
        return pair_inputs(network, items)
    device = network.get_output_embeddings().weight.device
    ids, mask = pad([item.tokens[:-1] for item in items], 0, device)
    following, _ = pad([item.tokens[1:] for item in items], 0, device)
    kept = torch.zeros_like(mask, dtype=torch.bool)
    for row, item in enumerate(items):
        end = len(item.tokens) - 1
        kept[row, end - item.scored : end] = True
    return {"input_ids": ids, "attention_mask": mask}, following, kept


@contextmanager
def _heard(head: nn.Module, *, alone: bool) -> Iterator[list[Tensor]]:
    """What `head` is given to read, call by call; with `alone` the head itself computes nothing: it reads no rows."""
    heard: list[Tensor] = []

    def hear(_: nn.Module, given: tuple[Any, ...]) -> Any:
        heard.append(given[0])
        return (given[0][:, :0], *given[1:]) if alone else None

    handle = head.register_forward_pre_hook(hear)
    try:
        yield heard
    finally:
        handle.remove()
