"""The metrics of a task of lm-evaluation-harness as ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from tianti.core.exceptions import TaskError
from tianti.tasks.harness_requests import from_value
from tianti.tasks.task import Metric

# Right or wrong, computed by lm-eval's own code. A task's own process_results may give anything these names.
CHOICE_ACCURACIES = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")
_PROPORTIONS = {*CHOICE_ACCURACIES, "exact_match"}
RANKING = ("acc_norm", "acc", "exact_match")


def metric_name(metric: str, filter_name: str) -> str:
    """`acc` for the filter called none, `exact_match@strict-match` for any other."""
    return metric if filter_name == "none" else f"{metric}@{filter_name}"


def harness_metrics(task: Any, chance: float | None) -> tuple[Metric, ...]:
    """Each of the task's metrics under each of its filters; the one that ranks stands first.

    Args:
        chance: the accuracy of guessing, where the task is a choice.
    """
    higher_is_better = task.higher_is_better()
    names = sorted(
        task.aggregation(), key=lambda name: RANKING.index(name) if name in RANKING else len(RANKING)
    )
    return tuple(
        Metric(
            name=metric_name(name, ensemble.name),
            aggregate=partial(_aggregate, name, task.aggregation()[name]),
            higher_is_better=higher_is_better.get(name, True),
            chance=chance if name in CHOICE_ACCURACIES else None,
            scale=_scale(task, name),
        )
        for name in names
        for ensemble in task._filters
    )


def without_lengths(found: dict[str, Any]) -> dict[str, Any]:
    """A head's log-probabilities do not depend on how long a choice is: every accuracy is the plain one."""
    plain = found.get("acc")
    normalised = set(CHOICE_ACCURACIES) - {"acc"}
    return {name: plain if name in normalised else value for name, value in found.items()}


def _aggregate(name: str, function: Callable[[Sequence[Any]], Any], values: Sequence[Any]) -> float:
    try:
        return float(function([from_value(value) for value in values]))
    except (ImportError, OSError) as error:
        # Some metrics are fetched from the hub, or need a package, when they are first computed.
        raise TaskError(
            f"the metric {name} cannot be computed: {error}", remedy="install or download it"
        ) from error


def _scale(task: Any, name: str) -> Literal["proportion", "mean", "ratio"]:
    from lm_eval.api.metrics import mean, nanmean

    if task.aggregation()[name] not in (mean, nanmean):
        return "ratio"
    # f1 of a choice task, say, is a pair of labels even where a YAML asks for its mean.
    return "proportion" if name in _PROPORTIONS and task.config.process_results is None else "mean"
