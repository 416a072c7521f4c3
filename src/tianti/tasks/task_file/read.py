"""From a file to a TaskFile, or an error that says which key is wrong, what was expected and what comes nearest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tianti.core.exceptions import TaskError, nearest
from tianti.core.neighbours import YAML, name_neighbours
from tianti.core.yaml_file import read_yaml
from tianti.tasks.task_file.asking_keys import Pattern, Template
from tianti.tasks.task_file.checks import check_together
from tianti.tasks.task_file.keys import (
    TAGS,
    DataFiles,
    GeneratedData,
    Generation,
    MetricItem,
    OptionOrder,
    Perturbations,
    ThinkingLimit,
    data_tag,
)
from tianti.tasks.task_file.task_file import TaskFile
from tianti.tasks.task_file.text_keys import Augmentation, Constraints


def read_task_file(path: Path) -> TaskFile:
    """The task file at `path`.

    Raises:
        TaskError: no such file, no YAML, an unknown or missing key, or a value of the wrong type.
        UnknownNameError: an unknown kind or metric.
    """
    if not path.is_file():
        raise TaskError(f"no task file {path}", remedy=name_neighbours(path, YAML, "task files"))
    return parse_task_file(read_yaml(path, TaskError), str(path))


def parse_task_file(content: Any, where: str) -> TaskFile:
    """The task file of a YAML mapping; `where` names it in errors."""
    if not isinstance(content, dict):
        raise TaskError(
            f"{where}: expected keys and values, found {content!r:.60}", remedy="tianti task new NAME"
        )
    if "models" in content and "task" not in content:
        raise TaskError(f"{where}: a study, not a task", remedy=f"`tianti run {where}`")
    try:
        file = TaskFile.model_validate(content)
    except ValidationError as error:
        raise TaskError(
            "\n".join(_explain(where, content, problem) for problem in error.errors()),
            remedy="tianti task new NAME writes a file to start from",
        ) from error
    check_together(file, where)
    return file


def _explain(where: str, content: Any, problem: Any) -> str:
    """One problem that pydantic found, in words: file, key, what was expected, the nearest valid key."""
    path = [part for part in problem["loc"] if part not in TAGS]
    key = ".".join(map(str, path))
    match problem["type"]:
        case "extra_forbidden":
            valid = _valid_keys(path[:-1], content)
            near = nearest(str(path[-1]), valid)
            hint = (
                f"did you mean {' or '.join(map(repr, near))}?"
                if near
                else f"valid: {', '.join(sorted(valid))}"
            )
            return f"{where}: unknown key {key!r}: {hint}"
        case "missing":
            return f"{where}: key {key!r} is missing"
        case "string_type" if isinstance(problem["input"], bool):
            return f"{where}: {key}: expected text, found {problem['input']} (YAML reads yes, no, on, off so: quote it)"
        case "string_type" if isinstance(problem["input"], int | float):
            return f"{where}: {key}: expected text, found the number {problem['input']} (quote it)"
        case "model_type" | "model_attributes_type" | "dict_type" if path[-1] in (
            "generation_kwargs",
            "thinking",
            "perturbations",
            "option_order",
            "constraints",
            "augmentation",
        ):
            keys = ", ".join(sorted(_valid_keys(path, content)))
            return f"{where}: {key}: expected keys and values ({keys}), found {problem['input']!r:.60}"
        case "list_type":
            return f"{where}: {key}: expected a list, found {problem['input']!r:.60}"
        case "value_error":
            return f"{where}: {key}: {problem['msg'].removeprefix('Value error, ')}"
    message = problem["msg"].removeprefix("Input should be ")
    return f"{where}: {key}: expected {message}, found {problem['input']!r:.60}"


def _valid_keys(path: list[Any], content: Any) -> list[str]:
    models: dict[Any, type[BaseModel]] = {
        "data": GeneratedData if data_tag(content.get("data")) == "generated" else DataFiles,
        "generation_kwargs": Generation,
        "thinking": ThinkingLimit,
        "perturbations": Perturbations,
        "option_order": OptionOrder,
        "constraints": Constraints,
        "augmentation": Augmentation,
        "templates": Template,
        "extract": Pattern,
        "metric_list": MetricItem,
    }
    return list((models[path[0]] if path else TaskFile).model_fields)
