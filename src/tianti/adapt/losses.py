"""What training makes small: the cross-entropy of an answer's tokens, or of the right label or choice."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tianti.adapt.entropy import PLAIN, Entropy
from tianti.adapt.samples import Labelled, pad
from tianti.engine.tokens import Window


def answer_loss(
    network: Any, windows: Sequence[Window], entropy: Entropy = PLAIN
) -> tuple[Tensor, int | Tensor]:
    """Summed cross-entropy of the scored tokens of each window, in nats, and their number."""
    logits, targets = answer_logits(network, windows)
    return entropy(logits.float(), targets)


def answer_logits(network: Any, windows: Sequence[Window]) -> tuple[Tensor, Tensor]:
    """The logits [tokens, vocabulary] that predict the scored tokens of all windows, and those tokens.

    Rows are padded on the right, which a causal model cannot see; logits are computed only for the tail of the batch
    in which answers lie.
    """
    device = next(network.parameters()).device
    ids, mask = pad([window.tokens[:-1] for window in windows], 0, device)
    targets = torch.full_like(ids, -100)
    for row, window in enumerate(windows):
        end = len(window.tokens) - 1
        answer = torch.from_numpy(window.tokens[-window.scored :].copy())
        targets[row, end - window.scored : end] = answer.to(device)
    first = min(len(window.tokens) - 1 - window.scored for window in windows)
    kept = ids.shape[1] - first
    options = {"logits_to_keep": kept} if keeps_logits(network) else {}
    logits = network(input_ids=ids, attention_mask=mask, use_cache=False, **options).logits
    scored = targets[:, -kept:] != -100
    return logits[:, -kept:][scored], targets[:, -kept:][scored]


def right_tokens(logits: Tensor, targets: Tensor) -> tuple[float, int]:
    """How many of the tokens are the likeliest ones, and of how many."""
    return float((logits.argmax(dim=-1) == targets).sum()), len(targets)


def choice_loss(
    network: Any, items: Sequence[Labelled], entropy: Entropy = PLAIN
) -> tuple[Tensor, int | Tensor]:
    """Summed cross-entropy of the right label (one row an item) or choice (one row a choice), and the items' number."""
    return entropy(*choice_scores(network, items))


def choice_scores(network: Any, items: Sequence[Labelled]) -> tuple[Tensor, Tensor]:
    """Scores [items, labels or choices], −∞ where an item has fewer choices than others, and the right ones."""
    device = next(network.parameters()).device
    ids, mask = pad([row for item in items for row in item.rows], 0, device)
    logits = network(ids, mask)
    labels = torch.tensor([item.label for item in items], device=device)
    counts = [len(item.rows) for item in items]
    if max(counts) == 1:
        return logits, labels
    scores = pad_sequence(list(logits[:, 0].split(counts)), batch_first=True, padding_value=-torch.inf)
    return scores, labels


def right_choices(network: Any, items: Sequence[Labelled]) -> tuple[float, int]:
    """How many labels or choices are the likeliest ones, and of how many."""
    return right_tokens(*choice_scores(network, items))


def keeps_logits(network: Any) -> bool:
    """Whether the network can be asked for the logits of some positions only."""
    return "logits_to_keep" in inspect.signature(type(network).forward).parameters
