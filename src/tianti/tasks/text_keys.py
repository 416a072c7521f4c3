"""The keys of a task file that mean something for some kinds of written text only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    from tianti.tasks.task_file import TaskFile

KEYS_OF_TEXTS = {
    "target_language": ("translation",),
    "tests": ("code-generation",),
    "programming_language": ("code-generation",),
    "slots": ("dialogue",),
}
"""Each key with the kinds of task that read it."""


def own_columns(file: TaskFile) -> dict[str, str]:
    """The columns or templates that these keys name, by key; those that are not given are left out."""
    named = {"tests": file.tests, "slots": file.slots}
    return {key: source for key, source in named.items() if source is not None}


def _runnable(language: str) -> str:
    if language != "expression":
        raise ValueError(
            f"{language!r} is not run here: there is no sandbox for it yet; "
            "'expression', one expression over the number x, is the one language"
        )
    return language


ProgrammingLanguage = Annotated[str, AfterValidator(_runnable)]
