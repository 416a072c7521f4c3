"""Cross-entropy with class weights and label smoothing; docs/concepts/learning.md derives it and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tianti.core.exceptions import IncompatibleError


@dataclass(frozen=True)
class Entropy:
    """How right and wrong outputs count.

    With the smoothed target t = (1 − s) · onehot(label) + s / n over n outputs, an item costs

        w[label] · (1 − s) · −log p[label] + s / n · Σ w[k] · −log p[k]

    in nats, and counts as w[label] items. `weights` are w, one for each label, or None where all are 1.
    """

    weights: tuple[float, ...] | None = None
    smoothing: float = 0.0

    def __call__(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, int | Tensor]:
        """[items, outputs] and [items] → the summed cost and how many items it counts as.

        An output of −∞ is none: a choice that an item does not have takes no part in the smoothing either.
        """
        weights = None if self.weights is None else logits.new_tensor(self.weights)
        terms = len(labels) if weights is None else weights[labels].sum()
        if not self.smoothing or not torch.isneginf(logits).any():
            summed = cross_entropy(logits, labels, weights, reduction="sum", label_smoothing=self.smoothing)
            return summed, terms
        logprobs = logits.log_softmax(dim=-1)
        there = ~torch.isneginf(logits)
        spread = -logprobs.masked_fill(~there, 0).sum(dim=-1) / there.sum(dim=-1)
        right = -logprobs.gather(1, labels[:, None])[:, 0]
        return ((1 - self.smoothing) * right + self.smoothing * spread).sum(), terms


PLAIN = Entropy()
"""Every item counts the same, and only its label is right."""


def balanced_weights(labels: Sequence[int], outputs: int) -> tuple[float, ...]:
    """Weights w[k] = items / (labels that occur · items with label k): all labels weigh the same, the mean weight is 1.

    A label without an item gets 1. King & Zeng 2001, Logistic regression in rare events data; as scikit-learn does it.
    """
    counts = [list(labels).count(label) for label in range(outputs)]
    occurring = sum(count > 0 for count in counts)
    return tuple(len(labels) / (occurring * count) if count else 1.0 for count in counts)


def smoothed(adaptation: Any) -> Entropy:
    """How outputs count where they are no labels: tokens of a text, choices of a question.

    Raises:
        IncompatibleError: class weights, and there are no classes.
    """
    if getattr(adaptation, "class_weights", None) is not None:
        raise IncompatibleError(
            f"{adaptation.name}: class_weights needs an output for each label, and this task is learned without: as "
            "text, or by its own choices",
            remedy="leave class_weights out, or use an encoder and a task whose samples share their labels",
        )
    return Entropy(smoothing=getattr(adaptation, "label_smoothing", 0.0))


def weighted(adaptation: Any, labels: Sequence[int], names: Sequence[str]) -> Entropy:
    """How the labels `names` count, for training examples with these `labels`.

    Raises:
        IncompatibleError: weights for another number of labels.
    """
    wanted = getattr(adaptation, "class_weights", None)
    if wanted == "balanced":
        wanted = balanced_weights(labels, len(names))
    if wanted is not None and len(wanted) != len(names):
        raise IncompatibleError(
            f"{adaptation.name}: class_weights has {len(wanted)} weights, and the task has {len(names)} labels",
            remedy=f"give one weight for each of {', '.join(names)}, in this order",
        )
    return Entropy(wanted, getattr(adaptation, "label_smoothing", 0.0))
