"""What a task's templates gave each, where every sample was asked in all of them: how much the wording matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import stdev
from typing import Any

from tianti.evaluation.answer import Answer
from tianti.tasks.task import Metric


def spread_over_templates(
    metric: Metric, names: Sequence[str], answers: Sequence[Answer]
) -> Mapping[str, Any]:
    """The metric under each template, the lowest and highest of these, and their standard deviation (n − 1).

    `names` are the templates in the order of the repeats. Empty where there is one template, or one without answers.
    """
    if len(names) < 2:
        return {}
    values = [
        [each.values[metric.name] for each in answers if each.state == "ok" and each.repeat == repeat
         and metric.name in each.values]
        for repeat in range(len(names))
    ]  # fmt: skip
    if not all(values):
        return {}
    scores = {name: metric.aggregate(part) for name, part in zip(names, values, strict=True)}
    return {"scores": scores, **spread(list(scores.values()))}


def spread(scores: Sequence[float]) -> dict[str, float]:
    """Lowest, highest and standard deviation of two scores or more."""
    return {"lowest": min(scores), "highest": max(scores), "sd": stdev(scores)}
