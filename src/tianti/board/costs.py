"""What an entry took: the same numbers as columns of a board and as the other side of what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tianti.board.entries import Entry

COSTS: Mapping[str, Callable[[Entry], float | None]] = MappingProxyType(
    {
        "parameters": lambda entry: entry.parameters,
        "trained": lambda entry: entry.price.trainable_parameters,
        "examples": lambda entry: entry.price.training_examples,
        "seconds": lambda entry: entry.price.seconds,
        "tokens": lambda entry: entry.price.tokens,
        "energy": lambda entry: entry.price.watt_hours,
    }
)
"""For one seed: the parameters of the model and those that were trained, the examples to learn from, the seconds and
tokens of training and evaluation together, and watt-hours where the power is stated. None where it is not known."""
