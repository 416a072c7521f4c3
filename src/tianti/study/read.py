"""From a study file, or from its fields, to a Study; or an error that says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from tianti.adapt import Continual
from tianti.adapt.continual import parse_strategy
from tianti.core.exceptions import InputError, StudyError, UnknownNameError
from tianti.core.neighbours import YAML, name_neighbours
from tianti.core.yaml_file import read_yaml
from tianti.study.study import Study
from tianti.tasks.task_file import TaskFile


def read_study(path: Path) -> Study:
    """Read a study file; paths of models, tasks and includes are relative to the file.

    Raises:
        StudyError: the file cannot be read; says which key is wrong and what was expected.
    """
    if not path.exists():
        hint = name_neighbours(path, YAML, "YAML files")
        raise StudyError(
            f"no study file {path}", remedy=f"{hint} (`tianti run MODEL --task TASK` needs no file)"
        )
    content = read_yaml(path, StudyError)
    if not isinstance(content, dict):
        raise StudyError(
            f"{path}: expected a mapping with the keys models and tasks, got {type(content).__name__}",
            remedy="see `examples/` for studies to copy",
        )
    _refuse_task_file(path, content)
    study = checked_study({"study": path.stem, **content}, where=f"{path}: ")
    base = path.parent
    return study.model_copy(
        update={
            "models": tuple(_beside(base, model) for model in study.models),
            "tasks": tuple(_beside(base, task) for task in study.tasks),
            "transfer": tuple(_beside(base, task) for task in study.transfer),
            "stream": tuple(_beside(base, task) for task in study.stream),
            "include": tuple(base / folder for folder in study.include),
        }
    )


def study_of(**fields: Any) -> Study:
    """A Study from its fields; the errors are those of `checked_study`."""
    return checked_study(fields)


def checked_study(
    fields: Mapping[str, Any], *, where: str = "", names: Mapping[str, str] = MappingProxyType({})
) -> Study:
    """A Study from a mapping of its fields.

    `where` begins the errors; `names` are those under which the user gave the fields, where they are not the keys.

    Raises:
        StudyError: a field is missing or has a value that it cannot have; says which, what was expected and given.
        UnknownNameError: there is no such field.
    """
    for key in fields:
        if key not in Study.model_fields:
            remedy = f"{key} is a key of task files, and a study names those: tasks: [my_task.yaml]"
            raise UnknownNameError(
                "key", str(key), Study.model_fields, where=where.removesuffix(": "),
                remedy=remedy if key in TaskFile.model_fields else "",
            )  # fmt: skip
    try:
        study = Study.model_validate(dict(fields))
    except ValidationError as error:
        raise _explained(error, where, names) from error
    if study.stream:
        _check_learners(study, where, names)
    return study


def _check_learners(study: Study, where: str, names: Mapping[str, str]) -> None:
    """Every method and every strategy of a stream by itself, so that an error says under which key it stands."""
    for key, texts, read in (
        ("adaptations", study.adaptations, lambda text: Continual(method=text)),
        ("strategies", study.strategies, parse_strategy),
    ):
        for text in texts:
            try:
                read(text)
            except InputError as error:
                raise StudyError(
                    f"{where}{names.get(key, key)}: {error.message}", remedy=error.remedy
                ) from error


def _explained(error: ValidationError, where: str, names: Mapping[str, str]) -> StudyError:
    """The first fault that pydantic found: key, what was expected, what stood there."""
    fault = error.errors()[0]
    if not fault["loc"]:  # the fields do not fit each other
        return StudyError(where + fault["msg"].removeprefix("Value error, "))
    key = str(fault["loc"][0])
    # Behind the key stand the place in a list, which helps, and pydantic's name of a type, which does not.
    place = "".join(f"[{part}]" for part in fault["loc"][1:2] if isinstance(part, int))
    expected = Study.model_fields[key].description
    if fault["type"] == "missing":
        return StudyError(f"{where}{names.get(key, key)} is missing: give {expected}")
    given = fault["input"]
    return StudyError(f"{where}{names.get(key, key)}{place}: expected {expected}, got {given!r}")


def _refuse_task_file(path: Path, content: Mapping[str, Any]) -> None:
    """A task file is what people give in place of a study most often; say how it is run."""
    if "models" in content or not {"task", "doc_to_text", "doc_to_target"} & set(content):
        return
    reference, folder = str(path), ""
    if "kind" not in content and isinstance(content.get("task"), str):  # lm-eval's own form has no kinds
        reference, folder = f"harness:{content['task']}", f" --include {path.parent}"
    raise StudyError(
        f"{path}: a task file, not a study", remedy=f"`tianti run MODEL --task {reference}{folder}`"
    )


def _beside(base: Path, reference: str) -> str:
    """A relative path in a study file starts at the file's folder, if something lies there."""
    path, bracket, arguments = reference.partition("(")
    beside = base / path
    is_path = path.startswith((".", "/", "~")) or path.endswith((".yaml", ".yml")) or beside.exists()
    if not is_path or ":" in path:
        return reference
    return f"{beside.expanduser()}{bracket}{arguments}"
