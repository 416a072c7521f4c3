"""The keys of a task file that mean something for some kinds of written text only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from tianti.tasks.task_file.keys import Strict, Text

if TYPE_CHECKING:
    from tianti.tasks.task_file.task_file import TaskFile

KEYS_OF_TEXTS = {
    "target_language": ("translation",),
    "tests": ("code-generation",),
    "programming_language": ("code-generation",),
    "slots": ("dialogue",),
    "constraints": ("controllable-generation",),
    "augmentation": ("data-augmentation",),
}
"""Each key with the kinds of task that read it."""


class Constraints(Strict):
    """The columns that say what a text must keep.

    `keywords`: a list of words or phrases that must stand in it. `at_most`: its length, in words, or in characters
    where a language writes no spaces. `sentiment`: what a classifier that learned from the training split must find.
    `instructions`: a list of ids of IFEval, and `arguments` a list of objects, one for each.
    """

    keywords: Text | None = None
    at_most: Text | None = None
    sentiment: Text | None = None
    instructions: Text | None = None
    arguments: Text | None = None

    @model_validator(mode="after")
    def _some_column(self) -> Constraints:
        if not (self.keywords or self.at_most or self.sentiment or self.instructions):
            raise ValueError("names no column: give keywords, at_most, sentiment or instructions")
        if self.arguments and not self.instructions:
            raise ValueError("arguments are those of instructions: name their column, too")
        return self


class Augmentation(Strict):
    """The columns of an episode's labelled texts, and how many texts are written for each label."""

    seeds: Text = "seeds"
    evaluation: Text = "evaluation"
    generate: int = Field(default=8, gt=0)


def own_columns(file: TaskFile) -> dict[str, str]:
    """The columns or templates that these keys name, by key; those that are not given are left out."""
    named = {"tests": file.tests, "slots": file.slots}
    if file.constraints is not None:
        named |= {f"constraints.{key}": source for key, source in file.constraints.model_dump().items()}
    if file.augmentation is not None:
        named |= {f"augmentation.{key}": getattr(file.augmentation, key) for key in ("seeds", "evaluation")}
    return {key: source for key, source in named.items() if source is not None}


def _runnable(language: str) -> str:
    if language != "expression":
        raise ValueError(
            f"{language!r} is not run here: there is no sandbox for it yet; "
            "'expression', one expression over the number x, is the one language"
        )
    return language


ProgrammingLanguage = Annotated[str, AfterValidator(_runnable)]
