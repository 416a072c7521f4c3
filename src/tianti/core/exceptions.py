"""Everything that can go wrong, in one tree.

TiantiError
├── InputError               what the user gave cannot be used
│   ├── UnknownNameError     no such task, adaptation, model, metric, …; carries the nearest valid names
│   ├── StudyError           a study file
│   ├── TaskError            a task file or its data
│   ├── ModelError           a model folder, hub id or endpoint
│   └── IncompatibleError    model, adaptation and task do not fit together
├── EngineError              the model did not answer
│   └── NonFiniteError       NaN or infinite log-probabilities: an error, never an answer
├── StoreError               the results on disk
└── MissingExtraError        an optional package is not installed

Each error says what is wrong, where, what was expected and what to do next. `str(error)` is the one line (or two) that
the command line prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class TiantiError(Exception):
    """The root of all errors raised on purpose.

    `message` says what is wrong and where; `remedy` says what to do about it.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel between processes; the usual way would call __init__ with the message alone.
        return _rebuilt, (type(self), self.__dict__)


def _rebuilt(error_class: type[TiantiError], state: dict[str, Any]) -> TiantiError:
    error = error_class.__new__(error_class, state["message"])
    error.__dict__.update(state)
    return error


class InputError(TiantiError):
    """What the user gave cannot be used."""


class UnknownNameError(InputError):
    """A name that stands for nothing, with the nearest names that do.

    >>> print(UnknownNameError("adaptation", "lorra", ["lora", "full"]))
    unknown adaptation 'lorra': did you mean 'lora'? Valid: full, lora
    """

    def __init__(
        self, what: str, name: str, valid: Iterable[str], *, where: str = "", remedy: str = ""
    ) -> None:
        names = sorted(valid)
        near = nearest(name, names)
        message = f"{where + ': ' if where else ''}unknown {what} {name!r}"
        if near:
            message += f": did you mean {' or '.join(map(repr, near))}?"
        if names and len(names) <= 30:
            message += f"{'' if near else ':'} Valid: {', '.join(names)}"
        super().__init__(message, remedy=remedy)
        self.name = name
        self.near = near


class StudyError(InputError):
    """A study file that cannot be read as a study."""


class TaskError(InputError):
    """A task file, or the data that it names, cannot be used."""


class ModelError(InputError):
    """A model folder, hub id or endpoint cannot be used."""


class IncompatibleError(InputError):
    """Model, adaptation and task do not fit together; says which and why."""


class EngineError(TiantiError):
    """The model did not answer."""


class NonFiniteError(EngineError):
    """The model's log-probabilities are NaN or infinite: an error, never an answer."""


class StoreError(TiantiError):
    """The results on disk cannot be read or written."""


class MissingExtraError(TiantiError):
    """An optional package is needed for this and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package}", remedy=f"pip install 'tianti[{extra}]'")


def nearest(name: str, valid: Iterable[str], count: int = 2) -> list[str]:
    """The valid names that look most like `name`, best first."""
    return difflib.get_close_matches(name, list(valid), n=count, cutoff=0.6)
