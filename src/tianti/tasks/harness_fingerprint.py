"""What makes two tasks of lm-evaluation-harness the same: configuration, code and data, but no path of this machine."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from tianti.core.exceptions import TaskError
from tianti.core.fingerprint import file_digest


def configuration_of(task: Any) -> dict[str, Any]:
    """The task's configuration without what differs from machine to machine; data files count by their content."""
    configuration: dict[str, Any] = describe(task.config)
    configuration["class"] = describe(type(task))
    configuration["metadata"] = _without(configuration["metadata"], "config_source")
    configuration["dataset_kwargs"] = _without(configuration["dataset_kwargs"], "data_files", "data_dir")
    if configuration["dataset_path"] and Path(configuration["dataset_path"]).exists():
        configuration["dataset_path"] = "local"
    return configuration


def _without(mapping: dict[str, Any] | None, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in (mapping or {}).items() if key not in keys}


def documents_of(task: Any) -> dict[str, Any]:
    """Every set of documents that a result can depend on."""
    splits = {"evaluation": task.eval_docs}
    if sampler := getattr(task, "sampler", None):
        splits["shots"] = sampler.df
    if task.has_training_docs():
        splits["train"] = task.training_docs()
    if task.has_validation_docs():
        splits["validation"] = task.validation_docs()
    return splits


def describe(value: Any) -> Any:
    """`value` as JSON data; a function becomes its name and the digest of the file that holds it.

    The whole file counts and not only the function's own lines, because functions call their neighbours.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case functools.partial():
            return [describe(value.func), describe(value.args), describe(value.keywords)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: describe(getattr(value, field.name)) for field in fields(value)}
        case Mapping():
            return {str(key): describe(item) for key, item in value.items()}
        case list() | tuple():
            return [describe(item) for item in value]
        case _ if callable(value):
            return _describe_code(value)
        case _:
            return [_describe_code(type(value)), describe(vars(value))]


def _describe_code(code: Callable[..., Any]) -> dict[str, str]:
    name = getattr(code, "__qualname__", type(code).__qualname__)
    try:
        file = inspect.getsourcefile(inspect.unwrap(code))
    except TypeError:  # built into the interpreter: there is no file
        file = None
    return {"code": name, "file": file_digest(Path(file)) if file and Path(file).is_file() else ""}


def digest_documents(name: str, documents: Iterable[Mapping[str, Any]]) -> str:
    """The sha256 of the documents in their order, 64 hex digits.

    Raises:
        TaskError: a field holds something that has no text form (an image, say).
    """
    digest = hashlib.sha256()
    for document in documents:
        try:
            line = json.dumps(document, sort_keys=True, ensure_ascii=False, default=_odd_field)
        except TypeError as error:
            raise TaskError(
                f"{name}: the data holds {error}, which is not text", remedy="choose a text task"
            ) from error
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def _odd_field(value: Any) -> Any:
    match value:
        case bytes():
            return hashlib.sha256(value).hexdigest()
        case date() | time() | Decimal():
            return str(value)
        case _:
            raise TypeError(f"a {type(value).__name__}")
