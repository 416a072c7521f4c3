"""What the runs of an entry took, put together. What is not known of one of them is not known of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tianti.board.entries import Price, known_sum


def mean_price(prices: Sequence[Price]) -> Price | None:
    """What one seed took, on average; None where nothing was scored."""
    if len(prices) < 2:
        return prices[0] if prices else None
    return Price(
        trainable_parameters=_most([price.trainable_parameters for price in prices]),
        training_seconds=_mean([price.training_seconds for price in prices]),
        evaluation_seconds=_mean([price.evaluation_seconds for price in prices]),
        training_tokens=_whole(_mean([price.training_tokens for price in prices])),
        evaluation_tokens=_whole(_mean([price.evaluation_tokens for price in prices])),
        training_examples=_whole(_mean([price.training_examples for price in prices])),
    )


def whole_price(prices: Sequence[Price], watts: float | None) -> Price:
    """What all tasks took that were scored, with its energy at this power."""
    found = Price(
        trainable_parameters=_most([price.trainable_parameters for price in prices]),
        training_seconds=known_sum([price.training_seconds for price in prices]),
        evaluation_seconds=known_sum([price.evaluation_seconds for price in prices]),
        training_tokens=known_sum([price.training_tokens for price in prices]),
        evaluation_tokens=known_sum([price.evaluation_tokens for price in prices]),
        training_examples=known_sum([price.training_examples for price in prices]),
    )
    if watts is None or found.seconds is None:
        return found
    return replace(found, watt_hours=watts * found.seconds / 3600)


def _most(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return max(known) if known and len(known) == len(values) else None


def _mean(values: Sequence[float | None]) -> float | None:
    total = known_sum(values)
    return None if total is None else total / len(values)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
