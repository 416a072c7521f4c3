"""Scores on one scale: 0 is what guessing gives, 1 is perfect."""

from __future__ import annotations

from collections.abc import Sequence

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


def normalised_mean(scores: Sequence[float], chances: Sequence[float | None], *, clip: bool = False) -> float:
    """The unweighted mean of sub-tasks, each normalised to its own chance level first.

    So the Open LLM Leaderboard 2 computed BBH and MuSR (with `clip`): its sub-tasks have from 2 to 19
    options. The mean of the raw scores cannot be normalised afterwards: which sub-task a point was won on
    is lost in it.

    Raises:
        InputError: no sub-tasks, not one chance level each, or one that is not in [0, 1).

    >>> normalised_mean([0.75, 0.3], [0.5, None])
    0.4
    """
    if not len(scores) or len(scores) != len(chances):
        raise InputError(
            f"{len(scores)} scores of sub-tasks, {len(chances)} chance levels",
            remedy="give one chance level (or None) for each sub-task, and at least one sub-task",
        )
    parts = [normalise(score, chance, clip=clip) for score, chance in zip(scores, chances, strict=True)]
    return sum(parts) / len(parts)


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
