"""Head-only for tags and spans: the features of tokens are computed once, and a linear head is fitted on them.

Both are regularised to

    mean cross-entropy + penalty / 2 · |weight|²

which is convex, and fitted to its optimum by L-BFGS, for each penalty from where the stronger one before ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from tianti.adapt.adaptation import Cost
from tianti.adapt.lesson import Lesson
from tianti.adapt.networks import TokenNetwork, read_windows
from tianti.adapt.objectives import choose_objective
from tianti.adapt.samples import size, sorted_batches
from tianti.core.exceptions import IncompatibleError

PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)
"""Weights of the squared norm in the loss per term, from the strongest to the weakest."""

BATCH = 32
"""Texts that are read at once."""


@dataclass(frozen=True)
class Terms:
    """What a head is fitted on: features, and which output, or which token, is right.

    Tags: `features` [words, width] and `right` [words]. Spans: `features` [all tokens, width], the `lengths` of the
    passages, and `right` [passages, 2] the first and last token of each answer.
    """

    features: Tensor
    right: Tensor
    lengths: tuple[int, ...] = ()


Loss = Callable[[Terms, Tensor, Tensor], Tensor]
"""(terms, weight [outputs, width], bias [outputs]) → the mean cross-entropy."""


def fit_tokens(network: TokenNetwork, lesson: Lesson) -> Cost:
    """Fit the head of `network` to its optimum, for tags or for spans; the penalty is chosen on held-out examples."""
    objective = choose_objective(lesson)
    examples, held = lesson.examples(lesson.adaptation.max_examples)
    parts = [objective.items(network, part) for part in (examples, held) if part]
    read, loss = (read_tags, tag_loss) if lesson.form == "tags" else (read_spans, span_loss)
    terms = [read(network, part) for part in parts]
    mean, spread = _standard(terms[0].features)
    for each in terms:
        each.features.sub_(mean).div_(spread)
    # Where nothing is held out, the examples that it is fitted on choose among the fits, too.
    learned, judged = terms[0], terms[-1]
    losses, fits = [], []
    weight, bias = torch.zeros_like(network.head.weight, device="cpu"), torch.zeros(lesson.outputs)
    for penalty in PENALTIES:
        weight, bias = minimise(learned, loss, penalty, weight, bias)
        fits.append((weight, bias))
        losses.append(float(loss(judged, weight, bias)))
    weight, bias = fits[int(np.argmin(losses))]
    with torch.no_grad():
        network.head.weight.copy_(weight / spread)
        network.head.bias.copy_(bias - (weight / spread) @ mean)
    return Cost(
        examples=len(examples),
        tokens=sum(size(item) for part in parts for item in part),
        train_loss=(float(loss(learned, weight, bias)),),
        validation=(min(losses),),
    )


def minimise(terms: Terms, loss: Loss, penalty: float, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The weight and bias that make loss + penalty / 2 · |weight|² smallest, found from the given ones."""
    weight, bias = weight.clone().requires_grad_(True), bias.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=200,
        tolerance_grad=1e-5,
        tolerance_change=1e-7,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        total = loss(terms, weight, bias) + penalty / 2 * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def tag_loss(terms: Terms, weight: Tensor, bias: Tensor) -> Tensor:
    """Mean cross-entropy of the words' tags."""
    return cross_entropy(terms.features @ weight.T + bias, terms.right)


def span_loss(terms: Terms, weight: Tensor, bias: Tensor) -> Tensor:
    """Mean cross-entropy of the answers' first and last tokens among those of their passages; `bias` changes nothing,
    as all tokens share it."""
    outputs = torch.split(terms.features @ weight.T + bias, list(terms.lengths))
    logits = pad_sequence(list(outputs), batch_first=True, padding_value=-torch.inf)
    return cross_entropy(logits.permute(0, 2, 1).flatten(0, 1), terms.right.flatten())


def read_tags(network: TokenNetwork, items: Sequence[Any]) -> Terms:
    """The features of each tagged word's first token."""
    places = [torch.from_numpy(item.places) for item in items]
    found = _features(network, items, [len(place) for place in places], places)
    return Terms(found, torch.from_numpy(np.concatenate([item.labels for item in items])))


def read_spans(network: TokenNetwork, items: Sequence[Any]) -> Terms:
    """The features of all tokens of the passages."""
    lengths = [sum(stop - start for start, stop in item.kept) for item in items]
    found = _features(network, items, lengths, None)
    return Terms(found, torch.tensor([[item.start, item.end] for item in items]), tuple(lengths))


def _features(
    network: TokenNetwork, items: Sequence[Any], lengths: Sequence[int], places: Sequence[Tensor] | None
) -> Tensor:
    """The last hidden states of the tokens at `places` of each item, or of all: [sum of lengths, width] on the CPU."""
    width = network.head.in_features
    needed, free = 4 * width * sum(lengths), psutil.virtual_memory().available
    if needed > free // 2:
        raise IncompatibleError(
            f"head-only would keep the features of {sum(lengths):,} tokens, {needed / 2**30:.1f} GiB of "
            f"{free / 2**30:.1f} GiB that are free",
            remedy="give fewer examples, head-only(max_examples=2000), or use lora",
        )
    found = torch.empty(sum(lengths), width)
    ends = np.cumsum(lengths)
    network.train(False)
    with torch.no_grad():
        for batch in sorted_batches([size(item) for item in items], BATCH):
            read = read_windows(network, [items[index] for index in batch], head=False)
            for index, states in zip(batch, read, strict=True):
                kept = states.cpu() if places is None else states.cpu()[places[index]]
                found[ends[index] - lengths[index] : ends[index]] = kept
    return found


def _standard(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of each feature; a constant one keeps its scale."""
    spread = rows.std(dim=0, correction=0)
    return rows.mean(dim=0), torch.where(spread > 1e-6, spread, 1.0)
