"""Results of lm-evaluation-harness: a JSON of every age, from `{"acc": …}` by task to
`{"acc,none": …}` under `results`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tianti.board.importers import lm_eval
from tianti.board.importers.form import NEWEST, SCORES, Content, table_of
from tianti.board.importers.source import SourceFile
from tianti.core.exceptions import InputError
from tianti.store.codec import to_text
from tianti.tasks.harness_metrics import metric_name

NAME = "lm-eval results"
NO_METRICS = frozenset({"alias", "name", "sample_len", "sample_count", "samples"})


def recognises(file: SourceFile) -> bool:
    if file.kind != ".json":
        return False
    content = file.json
    return isinstance(content, dict) and bool(_results(content))


def read(file: SourceFile) -> Content:
    """Each metric of each task, with its standard error and what else is said of the task.

    Raises:
        InputError: no model is named, or the results are not in a known form.
    """
    content: Mapping[str, Any] = file.json
    results = _results(content)
    model = file.model or lm_eval.model_name(content, file.path)
    if model is None:
        raise InputError(
            f"{file.path}: does not say which model it is about", remedy="name it with --model org/name"
        )
    about = lm_eval.who(content, model)
    parents = _parents(content, results)
    rows = [
        {**about, **row, "part_of": parents.get(task)}
        for task, found in results.items()
        for row in _rows(content, task, found)
    ]
    if not rows:
        raise InputError(f"{file.path}: no task has a score")
    facts = {name: value for name, value in content.items() if name not in ("results", "groups")}
    if content is results:
        facts = {}
    if day := _day(content.get("date")):
        facts |= {NEWEST: day}
    parts = {task: lm_eval.part_of_task(*reversed(lm_eval.samples_of(content, task))) for task in results}
    notes = tuple(f"{task}: {part}" for task, part in parts.items() if part)
    return Content(NAME, lm_eval.NAME, {"scores": table_of(SCORES, rows)}, _finite(facts), notes)


def _results(content: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The scores by task; some files hold nothing else, and are known by a standard error. Empty where the file is
    something else."""
    given = content.get("results", content)
    if not isinstance(given, Mapping) or not all(isinstance(found, Mapping) for found in given.values()):
        return {}
    metrics = [name for found in given.values() for name, _ in _metrics(found)]
    known = any(name.endswith("_stderr") for name in metrics) if given is content else bool(metrics)
    return given if known else {}


def _metrics(found: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """The numbers of a task by metric and filter: keys are `acc,none`, or `acc` in old files."""
    return {
        (metric, filter_name or "none"): float(value)
        for key, value in found.items()
        for metric, _, filter_name in [key.partition(",")]
        if metric not in NO_METRICS and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _rows(content: Mapping[str, Any], task: str, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    numbers = _metrics(found)
    scores = {
        (metric, name): value
        for (metric, name), value in numbers.items()
        if not (metric.endswith("_stderr") and (metric.removesuffix("_stderr"), name) in numbers)
    }
    names = [metric_name(metric, name) for metric, name in scores]
    ranking = lm_eval.ranking_metric(names)
    number = lm_eval.samples_of(content, task)[1] or found.get("sample_len")
    rest = {
        key: value for key, value in found.items() if not isinstance(value, int | float) or key in NO_METRICS
    }
    for (metric, filter_name), value in scores.items():
        name = metric_name(metric, filter_name)
        yield {
            "task": task,
            "version": lm_eval.version_of(content, task),
            "shots": lm_eval.shots_of(content, task),
            "metric": name,
            "value": value if math.isfinite(value) else None,
            "stderr": _stderr(numbers.get((f"{metric}_stderr", filter_name))),
            "n": number if isinstance(number, int) else None,
            "higher_is_better": lm_eval.higher_is_better(content, task, name),
            "main": name == ranking,
            "more": to_text(_finite(rest), f"task {task}"),
        }


def _day(seconds: Any) -> str:
    """The day (UTC) of a time in seconds since 1970; empty where it is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _stderr(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def _parents(content: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, str]:
    """For each task the group that it is part of, where that group has a score of its own."""
    groups = content.get("group_subtasks")
    if not isinstance(groups, Mapping):
        return _indented(results)
    return {
        str(child): str(group)
        for group, children in groups.items()
        if group in results and _metrics(results[group]) and isinstance(children, list)
        for child in children
    }


def _indented(results: Mapping[str, Any]) -> dict[str, str]:
    """The same where only names say it: ` - humanities` stands below `mmlu`, and `  - law` below that."""
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for task, scores in results.items():
        alias = scores.get("alias")
        text = alias if isinstance(alias, str) else task
        depth = len(text) - len(text.lstrip(" -"))
        while above and above[-1][0] >= depth:
            above.pop()
        if above:
            found[task] = above[-1][1]
        if _metrics(scores):
            above.append((depth, task))
    return found


def _finite(value: Any) -> Any:
    """The same with NaN and infinity as text: JSON has no form for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
