"""Recipes: processes that any model can go through, each a YAML file that can be read as a list of steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tianti.adapt import parse_adaptation
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.core.neighbours import YAML, name_neighbours
from tianti.core.yaml_file import read_yaml

FOLDER = Path(__file__).parent
Doing = Literal["data", "model", "search", "stage", "save", "use"]
ARCHITECTURES = ("causal", "seq2seq", "masked", "encoder")
OTHERS = "others"
"""The architectures that a step does not name."""


class RecipeError(InputError):
    """A recipe file that cannot be read as a recipe."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """The same in English and in Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """`en` or `zh`."""
        return self.zh if language == "zh" else self.en


class Step(_Strict):
    """One step: what is done, its name and what it is for.

    `data` shows the examples, `model` what will learn; `search` chooses settings, `stage` trains and measures a row of
    the board; `save` and `use` say where what was learned lies and how it is used. `adaptation` is one for all models
    or one for each architecture (and `others`); where it is null the step is left out, and `because` says why.
    """

    do: Doing
    name: Words
    words: Words
    adaptation: str | dict[str, str | None] | None = None
    because: Words | None = None

    @model_validator(mode="after")
    def _fits(self) -> Step:
        needs = self.do in ("search", "stage")
        if needs != (self.adaptation is not None):
            raise ValueError(f"adaptation: a step that does {self.do} {'needs one' if needs else 'has none'}")
        for architecture in self.adaptation if isinstance(self.adaptation, dict) else ():
            if architecture not in (*ARCHITECTURES, OTHERS):
                raise ValueError(
                    f"adaptation: no architecture {architecture!r}, expected {', '.join(ARCHITECTURES)} or {OTHERS}"
                )
        if (
            self.because is None
            and any(self.adaptation_for(each) is None for each in ARCHITECTURES)
            and needs
        ):
            raise ValueError("because: says why the step is left out for some models")
        return self

    def adaptation_for(self, architecture: str) -> str | None:
        """The adaptation for a model, in the short notation; None where the step is left out."""
        if isinstance(self.adaptation, dict):
            return self.adaptation.get(architecture, self.adaptation.get(OTHERS))
        return self.adaptation


class Recipe(_Strict):
    """A process. With `form: chat` prompts and examples are said in the model's chat template, if it has one."""

    recipe: str = Field(pattern=r"^[a-z0-9.-]+$")
    title: Words
    about: Words
    form: Literal["plain", "chat"] = "plain"
    steps: tuple[Step, ...] = Field(min_length=1)


def list_recipes() -> list[Recipe]:
    """The recipes that come with tianti, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.yaml"))]


def read_recipe(name: str) -> Recipe:
    """A recipe by its name, or from a YAML file of one's own.

    Raises:
        UnknownNameError: there is none of this name.
        RecipeError: the file cannot be read as a recipe; says where.
    """
    path = Path(name)
    if path.suffix.lower() in YAML:
        if not path.is_file():
            raise RecipeError(f"no recipe file {path}", remedy=name_neighbours(path, YAML, "YAML files"))
        return _read(path)
    known = {path.stem: path for path in FOLDER.glob("*.yaml")}
    if name not in known:
        raise UnknownNameError("recipe", name, known, remedy="a recipe of your own is a path to its .yaml")
    return _read(known[name])


def _read(path: Path) -> Recipe:
    content = read_yaml(path, RecipeError)
    if not isinstance(content, Mapping):
        raise RecipeError(f"{path}: expected keys and values, found {content!r:.60}", remedy=_REMEDY)
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{path}: {_fault(error, content)}", remedy=_REMEDY) from error
    for number, step in enumerate(recipe.steps, 1):
        for architecture in ARCHITECTURES:
            text = step.adaptation_for(architecture)
            if text is None:
                continue
            try:
                parse_adaptation(text)
            except InputError as error:
                raise RecipeError(f"{path}: step {number}: {error.message}", remedy=error.remedy) from error
    _check_searches(recipe, path)
    return recipe


def _check_searches(recipe: Recipe, path: Path) -> None:
    """What a search chooses is measured by a later stage of the same adaptation."""
    for number, step in enumerate(recipe.steps):
        for architecture in ARCHITECTURES if step.do == "search" else ():
            wanted = step.adaptation_for(architecture)
            later = [
                each.adaptation_for(architecture) for each in recipe.steps[number:] if each.do == "stage"
            ]
            if wanted is not None and wanted not in later:
                raise RecipeError(
                    f"{path}: step {number + 1}: no later stage with the adaptation {wanted}",
                    remedy="write a stage with the same adaptation behind the search: it measures what was chosen",
                )


_REMEDY = "`tianti recipe show gpt3` prints a recipe to copy from"


def _fault(error: ValidationError, content: Mapping[str, Any]) -> str:
    """The first fault, in words: which step and key, what was expected, what stood there."""
    # A key that is written wrong is missing too; the first says more.
    fault = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    place = [f"step {part + 1}" if isinstance(part, int) else str(part) for part in fault["loc"]]
    place = [part for part in place if part not in ("steps", "str", "dict[str,nullable[str]]")] or ["recipe"]
    where = ": ".join(place)
    match fault["type"]:
        case "extra_forbidden":
            model = Step if "step" in place[0] else Recipe
            return str(UnknownNameError("key", place[-1], model.model_fields, where=": ".join(place[:-1])))
        case "missing":
            return f"{where} is missing"
        case "value_error":
            return f"{where}: {fault['msg'].removeprefix('Value error, ')}"
    return f"{where}: {fault['msg'][:1].lower()}{fault['msg'][1:]}, found {fault['input']!r:.60}"
