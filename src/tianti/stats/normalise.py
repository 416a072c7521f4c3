"""Scores on one scale: 0 is what guessing gives, 1 is perfect."""

from __future__ import annotations

from tianti.core.exceptions import InputError


def normalise(score: float, chance: float | None, *, clip: bool = False) -> float:
    """(score − chance) / (1 − chance): the share of the way from guessing to perfect.

    Negative below chance: clipping at 0 would hide a model that is worse than guessing, and bias noise
    upward; `clip` does it all the same, for comparison with boards that do. Without a chance level (None)
    guessing gives 0.

    Raises:
        InputError: `chance` is not in [0, 1).

    >>> normalise(0.53092, 0.1)
    0.4788
    """
    floor = check_chance(chance)
    value = (score - floor) / (1 - floor)
    return max(value, 0.0) if clip else value


def check_chance(chance: float | None) -> float:
    """`chance` as a number: 0 where there is none.

    Raises:
        InputError: it is not in [0, 1).
    """
    floor = 0.0 if chance is None else float(chance)
    if not 0.0 <= floor < 1.0:
        raise InputError(
            f"a chance level of {chance} cannot be normalised", remedy="chance is a number from 0 to below 1"
        )
    return floor
