"""The way that one model takes through a recipe on one task, planned and checked before anything is trained."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from tianti.adapt import Adaptation, Chain, ZeroShot, label, parse_adaptation
from tianti.adapt.recipes import Recipe, Step
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.models import LoadedModel
from tianti.models.chat import ChatTemplate
from tianti.study import Study, Trial, study_of, trials


@dataclass(frozen=True)
class Station:
    """A step of the course; `trial` is what a search or a stage is about, None where the step is left out."""

    number: int
    step: Step
    trial: Trial | None = None

    @property
    def left_out(self) -> bool:
        """Whether the recipe has nothing for this model here."""
        return self.step.do in ("search", "stage") and self.trial is None


@dataclass(frozen=True)
class Course:
    """All stations, and the study whose board they end on. `in_chat`: examples and prompts are said in a chat."""

    recipe: Recipe
    study: Study
    model: LoadedModel
    stations: tuple[Station, ...]
    in_chat: bool

    @property
    def trials(self) -> list[Trial]:
        """The rows of the board, in the order of their stages, each once."""
        found = [station.trial for station in self.stations if station.step.do == "stage"]
        return list({trial.id: trial for trial in found if trial is not None}.values())


def plan(
    recipe: Recipe, model: LoadedModel, reference: str, task: str, seed: int = 0, limit: int | None = None
) -> Course:
    """The course of a model, which `reference` names, through a recipe.

    Raises:
        IncompatibleError: a step does not fit model and task; says which, before anything is trained.
        InputError: a baseline, or several tasks.
    """
    architecture = model.model.architecture
    if architecture == "baseline":
        raise IncompatibleError(
            f"recipe {recipe.recipe} does not fit {model.model.name}: a baseline has no weights to adapt",
            remedy="name a model with weights",
        )
    in_chat = recipe.form == "chat" and architecture in ("causal", "seq2seq") and can_chat(model)
    wanted = [_adaptation(step, architecture, in_chat=in_chat) for step in recipe.steps]
    rows = [each for step, each in zip(recipe.steps, wanted, strict=True) if step.do == "stage" and each]
    if not rows:
        raise IncompatibleError(
            f"recipe {recipe.recipe} has no stage for {model.model.name}, which is {architecture}",
            remedy="take another model, or name an adaptation for it in the recipe",
        )
    name = re.sub(r"[^\w.-]+", "-", f"{recipe.recipe}-{model.model.name}-{task}-{seed}").strip("-")
    study = study_of(
        study=name, models=[reference], adaptations=[label(each) for each in rows], tasks=[task], seeds=[seed],
        limit=limit, device=model.options.device, dtype=model.options.dtype, batch=model.options.batch, workers=1,
    )  # fmt: skip
    planned = trials(study, [model.model])
    if len({trial.task.fingerprint for trial in planned}) > 1:
        raise InputError(f"{task}: several tasks, and a recipe is for one", remedy="name one of them")
    by_adaptation = {trial.adaptation: trial for trial in planned}
    stations = tuple(
        Station(number, step, by_adaptation[each] if each else None)
        for number, (step, each) in enumerate(zip(recipe.steps, wanted, strict=True), 1)
    )
    _check(recipe, stations, model)
    return Course(recipe, study, model, stations, in_chat)


def can_chat(model: LoadedModel) -> bool:
    """Whether the model's tokenizer has a chat template."""
    try:
        ChatTemplate(model.tokenizer)
    except IncompatibleError:
        return False
    return True


def _check(recipe: Recipe, stations: tuple[Station, ...], model: LoadedModel) -> None:
    for station in stations:
        if station.trial is None:
            continue
        try:
            station.trial.adaptation.check(model, station.trial.task)
        except IncompatibleError as error:
            raise IncompatibleError(
                f"recipe {recipe.recipe}, step {station.number} ({station.step.name.en}): {error.message}",
                remedy=error.remedy,
            ) from error


def _adaptation(step: Step, architecture: str, *, in_chat: bool) -> Adaptation | None:
    text = step.adaptation_for(architecture)
    if text is None:
        return None
    adaptation = parse_adaptation(text)
    return _said_in_chat(adaptation) if in_chat else adaptation


def _said_in_chat(adaptation: Any) -> Adaptation:
    """The adaptation with its prompts in a chat; one that does not prompt is asked zero-shot, in a chat."""
    steps = list(adaptation.steps if isinstance(adaptation, Chain) else (adaptation,))
    if steps[-1].trains:
        steps.append(ZeroShot(chat=True))
    else:
        steps[-1] = replace(steps[-1], chat=True)
    said: Adaptation = Chain(tuple(steps)) if len(steps) > 1 else steps[0]
    return said
