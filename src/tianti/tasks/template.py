"""How a task file's keys read a row: a key names a column, or is a Jinja2 template over the columns.

The rules are those of lm-evaluation-harness: a text that is a column's name gives that column's value, anything else is
rendered with `StrictUndefined` and its trailing newline is kept. Two things are stricter here, because they would pass
silently: a plain word that is no column is an error (and not a constant prompt), and so is a null inside a prompt.
Templates are rendered in a sandbox: a task file from a stranger cannot reach into the program.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tianti.core.exceptions import TaskError, nearest

Row = Mapping[str, Any]


class _NullInPromptError(ValueError):
    pass


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise _NullInPromptError("it prints a null (an empty value)")
    return value


def _regex_replace(text: str, pattern: str, replacement: str, count: int = 0) -> str:
    return re.sub(pattern, replacement, text, count=count)


_environment = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, keep_trailing_newline=True, finalize=_refuse_null
)
_environment.filters["regex_replace"] = _regex_replace


def is_template(text: str) -> bool:
    """Whether the text holds anything for Jinja2 to do."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


@dataclass(frozen=True)
class Field:
    """One key of a task file, bound to the columns of a table: a column or a template."""

    key: str
    source: str
    where: str
    columns: frozenset[str]
    is_column: bool
    template: jinja2.Template

    def value(self, row: Row, place: str) -> Any:
        """The column's value as it is, or the rendered text. `place` names the row in errors."""
        if self.is_column:
            value = row.get(self.source)
            if value is None:
                raise TaskError(
                    f"{self.where}: {place} has no value in column {self.source!r}", remedy="fill it in"
                )
            return value
        try:
            return self.template.render(**row)
        except (
            Exception
        ) as error:  # a template is a user's program: whatever it raises is an error of the task
            raise self._broken(row, place, error) from error

    def parsed(self, row: Row, place: str) -> Any:
        """The value, where a template's text that is written as a list, such as "['a', 'b']", gives that list."""
        value = self.value(row, place)
        if self.is_column or not (value[:1] == "[" and value[-1:] == "]"):
            return value
        try:
            return ast.literal_eval(value)
        except (SyntaxError, ValueError):
            return value

    def text(self, row: Row, place: str) -> str:
        """The value as text; numbers are written out, anything else is an error."""
        value = self.value(row, place)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise TaskError(
            f"{self.where}: {place}: {self.key} expects text, column {self.source!r} holds {value!r}",
            remedy="name a column of texts, or write a template that makes one",
        )

    def _broken(self, row: Row, place: str, error: Exception) -> TaskError:
        for name in sorted(names_in(self.source) - set(row)):
            if isinstance(error, jinja2.UndefinedError) and repr(name) in str(error):
                return missing_column(name, row, self.where, f"{self.key} of {place}")
        return TaskError(
            f"{self.where}: {place}: the template of {self.key} fails: {error}",
            remedy=f"mend {self.key}: {self.source!r}",
        )


def bind(key: str, source: str, where: str, columns: frozenset[str], *, constant: bool = False) -> Field:
    """The field for `source`; `constant` allows a text that is the same for every row.

    Raises:
        TaskError: no such column, or a template that Jinja2 cannot read.
    """
    is_column = source in columns
    if not is_column and not constant and source and not is_template(source):
        raise missing_column(source, columns, where, key)
    return Field(key, source, where, columns, is_column, compiled(key, "" if is_column else source, where))


def compiled(key: str, source: str, where: str) -> jinja2.Template:
    """The template, or a TaskError that says where its syntax breaks."""
    try:
        return _environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise TaskError(
            f"{where}: {key} is no Jinja2 template: {error.message} (line {error.lineno} of it)",
            remedy="a column is written {{column}}",
        ) from error


def missing_column(name: str, columns: Any, where: str, what: str) -> TaskError:
    """The error for a column that is not there: names those that are, the nearest first."""
    near = nearest(name, columns)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return TaskError(
        f"{where}: {what} asks for the column {name!r}, which the data does not have{hint}",
        remedy=f"columns: {', '.join(sorted(columns)) or 'none'}; a template is written {{{{column}}}}",
    )


def names_in(source: str) -> set[str]:
    """The columns that a template reads."""
    return meta.find_undeclared_variables(_environment.parse(source))
