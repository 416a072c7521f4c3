"""The keys of a task file that say how else it can be asked; they mean nothing until an adaptation asks so.

They are no part of the task's fingerprint: a trial that uses one has it in its manifest.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from tianti.core.exceptions import nearest
from tianti.tasks.extraction import RULES
from tianti.tasks.task_file.keys import Choices, Strict, Text
from tianti.tasks.wording import ALL, OWN

ASKING_KEYS = ("templates", "instruction", "doc_to_rationale", "extract")


FIGURES = ("lowest", "highest", "sd")
"""Stand beside the scores of templates on a board, so that no template can be called so."""


class Template(Strict):
    """Another prompt: the keys that it has stand in place of the file's own."""

    doc_to_text: Text | None = None
    doc_to_choice: Choices | None = None
    target_delimiter: str | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _some_key(self) -> Template:
        if not self.model_fields_set:
            raise ValueError(f"changes nothing: give one of {', '.join(type(self).model_fields)}")
        return self


class Pattern(Strict):
    """An answer that a regular expression finds: the last match, its first group if it has one."""

    regex: Text

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        return value


def checked_templates(value: dict[str, Template]) -> dict[str, Template]:
    """The templates, whose names must not be those that mean something else."""
    for name in value:
        if name in (ALL, OWN, *FIGURES) or not re.fullmatch(r"[\w.-]+", name):
            taken = ", ".join((ALL, OWN, *FIGURES))
            raise ValueError(
                f"{name!r} cannot be a template's name: letters, digits, dots and dashes, but none of {taken}"
            )
    return value


def checked_rule(value: str) -> str:
    """The name of a rule of `tasks/extraction.py`."""
    if value not in RULES:
        near = nearest(value, RULES)
        hint = f"did you mean {' or '.join(near)}?" if near else f"valid: {', '.join(RULES)}"
        raise ValueError(f"no rule {value!r}: {hint} A regular expression is written {{regex: '…'}}")
    return value


Extract = Annotated[
    Annotated[Pattern, Tag("many")] | Annotated[Text, Tag("one")],
    Discriminator(lambda value: "one" if isinstance(value, str) else "many"),
]
Templates = Annotated[dict[str, Template], Field(default_factory=dict)]
