"""The metrics of replies in a dialogue, besides accuracy and BLEU.

| name                  | value of a sample                                        | over a run                        |
|-----------------------|----------------------------------------------------------|-----------------------------------|
| `logprob_per_token`   | [log-probability of the right reply, its tokens]         | Σ log-probability / Σ tokens      |
| `logprob_per_byte`    | [log-probability of the right reply, its UTF-8 bytes]    | Σ log-probability / Σ bytes       |
| `distinct_1`, `_2`    | the words of the written reply                           | different n-grams / n-grams       |
| `slot_accuracy`       | [required values that the written reply says, required]  | Σ said / Σ required               |
| `joint_slot_accuracy` | 1 if the written reply says all that is required, else 0 | mean where something is required  |

Log-probabilities are in nats. `distinct_n` is that of Li et al. 2016, "A Diversity-Promoting Objective Function for
Neural Conversation Models". Its interval leaves out one sample at a time (the jackknife): a bootstrap draws samples
twice, and what stands there twice is not distinct.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from tianti.tasks.metric_rule import MetricRule, mean
from tianti.tasks.summary_metrics import words

if TYPE_CHECKING:
    from tianti.stats.intervals import Interval

LEVEL = 0.95


def per_unit(values: Sequence[Sequence[float]]) -> float:
    """Σ first / Σ second over pairs; not a number where the second ones sum to 0."""
    total = math.fsum(value[1] for value in values)
    return math.fsum(value[0] for value in values) / total if total else math.nan


def distinct(values: Sequence[Sequence[str]], n: int) -> float:
    """Different runs of n words / all runs of n words over the replies; not a number where there is no such run."""
    runs = [run for reply in values for run in _runs(reply, n)]
    return len(set(runs)) / len(runs) if runs else math.nan


def distinct_interval(values: Sequence[Sequence[str]], clusters: Sequence[str] | None, n: int) -> Interval:
    """The jackknife's interval of `distinct`, with Student's t; whole clusters are left out where there are any."""
    from tianti.stats.intervals import Interval
    from tianti.stats.moments import quantile

    keys = list(range(len(values))) if clusters is None else list(clusters)
    units: dict[Any, Counter[tuple[str, ...]]] = {}
    for key, reply in zip(keys, values, strict=True):
        units.setdefault(key, Counter()).update(_runs(reply, n))
    owners = Counter(chain.from_iterable(units.values()))
    total = sum(unit.total() for unit in units.values())
    without = [
        (len(owners) - sum(owners[run] == 1 for run in unit)) / (total - unit.total())
        for unit in units.values()
        if total > unit.total()
    ]
    estimate = distinct(values, n)
    count = len(units) if clusters is not None else None
    if len(without) < len(units) or len(units) < 2:
        return Interval(estimate, None, None, LEVEL, "jackknife·t", len(values), count)
    middle = mean(without)
    error = math.sqrt((len(units) - 1) / len(units) * math.fsum((each - middle) ** 2 for each in without))
    half = quantile(LEVEL, len(units) - 1) * error
    low, high = max(estimate - half, 0.0), min(estimate + half, 1.0)
    return Interval(estimate, low, high, LEVEL, "jackknife·t", len(values), count)


def slots_said(reply: str, slots: Mapping[str, Sequence[str]], language: str) -> int:
    """For how many of the slots the reply holds one of the accepted values, word by word, in its normal form."""
    said = words(reply, language)
    return sum(any(_holds(said, words(value, language)) for value in accepted) for accepted in slots.values())


def _holds(text: Sequence[str], part: Sequence[str]) -> bool:
    return any(text[start : start + len(part)] == part for start in range(len(text) - len(part) + 1))


def _runs(reply: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(reply[start : start + n]) for start in range(len(reply) - n + 1)]


CANDIDATE_ACC = MetricRule(
    "acc", mean, "mean", "share of samples whose most probable candidate is right", needs="doc_to_choice"
)
LOGPROB_PER_TOKEN = MetricRule(
    "logprob_per_token",
    per_unit,
    "per_unit",
    "log-probability of the right reply per token, nats",
    scale="ratio",
)
LOGPROB_PER_BYTE = MetricRule(
    "logprob_per_byte",
    per_unit,
    "per_unit",
    "log-probability of the right reply per byte, nats",
    scale="ratio",
)
DISTINCT = tuple(
    MetricRule(
        f"distinct_{n}",
        partial(distinct, n=n),
        f"distinct_{n}",
        f"share of different runs of {n} words" if n > 1 else "share of different words",
        scale="ratio",
        interval=partial(distinct_interval, n=n),
    )
    for n in (1, 2)
)
SLOT_ACCURACY = MetricRule(
    "slot_accuracy",
    per_unit,
    "per_unit",
    "share of required values that are said",
    scale="ratio",
    needs="slots",
)
JOINT_SLOT_ACCURACY = MetricRule(
    "joint_slot_accuracy", mean, "mean", "share of replies that say all that is required", needs="slots"
)
DIALOGUE_METRICS = (
    LOGPROB_PER_TOKEN,
    LOGPROB_PER_BYTE,
    *DISTINCT,
    SLOT_ACCURACY,
    JOINT_SLOT_ACCURACY,
)
