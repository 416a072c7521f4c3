"""lm-evaluation-harness hands a filter all responses of a run; here it gets one document's. See that it is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from tianti.core.exceptions import TaskError

_PROBES = 3


def are_known(task: Any) -> bool:
    """Whether all of a task's filters are lm-eval's own, which treat each document by itself."""
    classes = [
        getattr(filter_, "func", filter_) for ensemble in task._filters for filter_ in ensemble.filters
    ]
    modules = [kind.__module__ for kind in classes]
    # A `custom` filter calls a function of the task's, which may do anything.
    return all(name.startswith("lm_eval.filters.") and name != "lm_eval.filters.custom" for name in modules)


def check_filters(task: Any, instances: Sequence[Any]) -> None:
    """Filter made-up responses to a few documents together and one by one.

    Raises:
        TaskError: the results differ, so that a score would depend on which documents are asked together.
    """
    last = instances[0].doc_id + _PROBES
    probe = [_probed(instance) for instance in instances if instance.doc_id < last]
    together = _filtered(task, probe)
    groups = groupby(probe, key=lambda instance: instance.doc_id)
    alone = [result for _, group in groups for result in _filtered(task, list(group))]
    if together != alone:
        raise TaskError(
            f"harness:{task.config.task} has a filter that looks at several documents at once: its result depends on "
            "which documents are asked together",
            remedy="override filter_list in a YAML of your own",
        )


def _filtered(task: Any, instances: Sequence[Any]) -> list[dict[str, Any]]:
    task._instances = [replace(instance, filtered_resps={}) for instance in instances]
    task.apply_filters()
    return [instance.filtered_resps for instance in task._instances]


def _probed(instance: Any) -> Any:
    """An instance with a made-up response, another one for each document."""
    if instance.request_type == "generate_until":
        made_up: Any = f"The answer is ({chr(65 + instance.doc_id % 4)}). #### {instance.doc_id}"
    else:
        made_up = (-1.0 - instance.doc_id - instance.idx, False)
    return replace(instance, resps=[made_up] * instance.repeats, filtered_resps={})
