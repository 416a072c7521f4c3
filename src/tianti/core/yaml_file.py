"""Reads a YAML file that a person wrote; what cannot be read is told in one line, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tianti.core.exceptions import InputError


def read_yaml(path: Path, error_class: type[InputError]) -> Any:
    """The content of the YAML file at `path`; a byte order mark at its start is dropped.

    Raises:
        InputError: as `error_class`: it cannot be opened, is not UTF-8, or is no YAML; says the line.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise error_class(f"{path}: not UTF-8 at byte {error.start}", remedy="save it as UTF-8") from error
    except OSError as error:
        raise error_class(f"{path}: cannot be read: {error.strerror or error}") from error
    except yaml.YAMLError as error:
        raise error_class(
            f"{path}: {_fault(error)}",
            remedy="mend that place; a text that holds a colon, a brace or a bracket stands in quotes",
        ) from error


def _fault(error: yaml.YAMLError) -> str:
    """Line, column and fault, without the excerpts that the library prints over several lines."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"no YAML: {' '.join(str(error).split())}"
    mark, start = error.problem_mark, error.context_mark
    context = f" {error.context}" if error.context else ""
    if context and start is not None and start.line != mark.line:
        context += f" that begins in line {start.line + 1}"
    return f"line {mark.line + 1}, column {mark.column + 1}: no YAML: {error.problem}{context}"
