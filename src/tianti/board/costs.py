"""What an entry took: the same numbers as columns of a board and as the other side of what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from tianti.board.entries import Entry, Provenance

HERE: Sequence[Provenance] = ("measured", "verified")
"""What it took is known of entries that were measured here."""


def _measured(number: Callable[[Entry], float | None]) -> Callable[[Entry], float | None]:
    return lambda entry: number(entry) if entry.provenance in HERE else None


COSTS: Mapping[str, Callable[[Entry], float | None]] = MappingProxyType(
    {
        "trained": _measured(lambda entry: entry.price.trainable_parameters),
        "examples": _measured(lambda entry: entry.price.training_examples),
        "seconds": _measured(lambda entry: entry.price.training_seconds + entry.price.evaluation_seconds),
        "tokens": _measured(lambda entry: entry.price.training_tokens + entry.price.evaluation_tokens),
        "energy": _measured(lambda entry: entry.price.watt_hours),
    }
)
"""For one seed: the parameters that were trained, the examples to learn from, the seconds and tokens of training and
evaluation together, and watt-hours where the power is stated. None where it is not known."""
