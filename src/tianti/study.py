"""A Study (YAML) → Trials.

study: which-way-to-adapt
models: [nano:llama, ./my-model]
adaptations: [zero-shot, few-shot(k=4), lora(r=8)]
tasks: [nano/sentiment, my_task.yaml, harness:hellaswag]
seeds: [0, 1, 2]
limit: 500
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, field_validator

from tianti.adapt import Adaptation, label, parse_adaptation, settings
from tianti.core.call import Call
from tianti.core.exceptions import IncompatibleError, StudyError, UnknownNameError
from tianti.core.fingerprint import fingerprint
from tianti.models import LoadOptions, Model, open_model
from tianti.tasks import Task, load_tasks

MANIFEST_VERSION = 1
"""Goes up when the same manifest would mean other numbers: a change of prompts, token split or training."""


class Study(BaseModel):
    """models × adaptations × tasks × seeds, with limits."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    study: str = Field("study", description="the name; letters, digits, dots, dashes")
    models: tuple[str, ...] = Field(min_length=1)
    adaptations: tuple[str, ...] = Field(("zero-shot",), min_length=1)
    tasks: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    limit: int | None = Field(None, gt=0, description="at most so many samples of each task")
    include: tuple[Path, ...] = Field((), description="folders with lm-eval YAML files of your own")
    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch: PositiveInt | Literal["auto"] = "auto"
    workers: PositiveInt | Literal["auto"] = "auto"
    """Processes; the numbers are the same with any number of them."""

    @field_validator("study")
    @classmethod
    def _safe_name(cls, name: str) -> str:
        if not name or not all(character.isalnum() or character in ".-_" for character in name):
            raise ValueError("a name of letters, digits, dots, dashes and underscores")
        return name

    @field_validator("models", "adaptations", "tasks", "seeds", "include", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | int) else value

    @field_validator("models", "adaptations", "tasks", "seeds")
    @classmethod
    def _once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

    @property
    def load_options(self) -> LoadOptions:
        return LoadOptions(device=self.device, dtype=self.dtype, batch=self.batch)

    def to_yaml(self) -> str:
        """The study as a file that `read_study` reads."""
        return yaml.safe_dump(
            self.model_dump(mode="json", exclude_defaults=True) | {"study": self.study},
            sort_keys=False, allow_unicode=True,
        )  # fmt: skip


def read_study(path: Path) -> Study:
    """Read a study file; paths of models, tasks and includes are relative to the file.

    Raises:
        StudyError: the file cannot be read; says which key is wrong and what was expected.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StudyError(
            f"no study file {path}", remedy="`tianti run MODEL --task TASK` needs no file"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise StudyError(
            f"{path}: expected a mapping with the keys models and tasks, got {type(content).__name__}",
            remedy="see `examples/` for studies to copy",
        )
    unknown = [key for key in content if key not in Study.model_fields]
    if unknown:
        raise UnknownNameError("key", str(unknown[0]), Study.model_fields, where=str(path))
    try:
        study = study_of(**{"study": path.stem, **content})
    except StudyError as error:
        raise StudyError(f"{path}: {error.message}") from error
    base = path.parent
    return study.model_copy(
        update={
            "models": tuple(_beside(base, model) for model in study.models),
            "tasks": tuple(_beside(base, task) for task in study.tasks),
            "include": tuple(base / folder for folder in study.include),
        }
    )


def study_of(**fields: Any) -> Study:
    """A Study from its fields, with StudyError instead of pydantic's errors."""
    try:
        return Study.model_validate(fields)
    except ValidationError as error:
        raise StudyError(describe(error)) from error


def describe(error: ValidationError) -> str:
    """The first fault that pydantic found, in one line: key, fault, what stood there."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"]) or "the file"
    message = fault["msg"].removeprefix("Value error, ")
    shown = "" if fault["type"] == "missing" else f", got {fault['input']!r}"
    return f"{key}: {message[0].lower()}{message[1:]}{shown}"


@dataclass(frozen=True)
class Trial:
    """One cell of a study. `id` is the sha256 (64 hex digits) of its canonical manifest.

    Where model and task were found (`reference`, `include`) is left out of the id: fingerprints say what they are.
    """

    model: Model
    adaptation: Adaptation
    task: Task
    seed: int | None
    """None where the adaptation draws nothing at random: one trial then serves for all seeds."""
    limit: int | None
    options: LoadOptions
    include: tuple[Path, ...] = ()

    @property
    def manifest(self) -> dict[str, Any]:
        """All that the numbers depend on, as JSON."""
        model, info = self.model, self.task.info
        return {
            "manifest_version": MANIFEST_VERSION,
            "model": {
                "name": model.name,
                "reference": model.reference or model.name,
                "source": model.source,
                "architecture": model.architecture,
                "fingerprint": model.fingerprint,
                "revision": model.revision,
                "parameters": model.parameters,
            },
            "adaptation": {
                "name": self.adaptation.name,
                "label": label(self.adaptation),
                "settings": settings(self.adaptation),
            },
            "task": {
                "name": info.name,
                "reference": info.reference or info.name,
                "include": [str(folder) for folder in self.include],
                "kind": info.kind,
                "language": info.language,
                "split": info.split,
                "version": info.version,
                "fingerprint": self.task.fingerprint,
                "metrics": [
                    {name: value for name, value in asdict(metric).items() if name != "aggregate"}
                    for metric in self.task.metrics
                ],
            },
            "seed": self.seed,
            "limit": self.limit,
            "engine": {"dtype": self.options.dtype},
        }

    @property
    def id(self) -> str:
        manifest = self.manifest
        for part, name in (("model", "reference"), ("task", "reference"), ("task", "include")):
            del manifest[part][name]
        return fingerprint(manifest)

    @property
    def title(self) -> str:
        """What a person calls it: model · adaptation · task · seed."""
        seed = "" if self.seed is None else f" · seed {self.seed}"
        return f"{self.model.name} · {label(self.adaptation)} · {self.task.info.name}{seed}"


def trials(study: Study, in_memory: Sequence[Model] = ()) -> list[Trial]:
    """The trials of a study, ordered so that each model is loaded once.

    `in_memory` are models that exist as objects only; the study names them by their names.

    A baseline is fitted and a network is not: each takes from the study's adaptations those that fit its nature, and a
    baseline beside networks is fitted without being told.

    Raises:
        InputError: a model, adaptation or task that does not exist or cannot be read.
        IncompatibleError: a model for which no adaptation of the study is left.
    """
    adaptations = [parse_adaptation(text) for text in study.adaptations]
    tasks = [task for reference in study.tasks for task in load_tasks(reference, study.include)]
    objects = {model.name: model for model in in_memory}
    models = [objects.get(reference) or open_model(reference) for reference in study.models]
    return [
        Trial(model, adaptation, task, seed, study.limit, study.load_options, study.include)
        for model in models
        for adaptation in _fitting(model, adaptations, models)
        for task in tasks
        for seed in _seeds(adaptation, study.seeds)
    ]


def repeat_command(manifest: Mapping[str, Any]) -> str:
    """The command that runs a trial with this manifest again."""
    model, task = manifest["model"], manifest["task"]
    revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
    parts = [model["reference"] + revision, "--task", task["reference"], "--adapt", _full_notation(manifest)]
    for folder in task["include"]:
        parts += ["--include", folder]
    if manifest["seed"] is not None:
        parts += ["--seed", str(manifest["seed"])]
    if manifest["limit"] is not None:
        parts += ["--limit", str(manifest["limit"])]
    if manifest["engine"]["dtype"] != "auto":
        parts += ["--dtype", manifest["engine"]["dtype"]]
    return "tianti run " + " ".join(shlex.quote(part) for part in parts)


def _full_notation(manifest: Mapping[str, Any]) -> str:
    """The adaptation with every setting written out, so that later defaults change nothing."""
    adaptation = manifest["adaptation"]
    given = {key: value for key, value in adaptation["settings"].items() if value is not None}
    return str(Call(adaptation["name"], given))


def _fitting(model: Model, adaptations: Sequence[Adaptation], models: Sequence[Model]) -> list[Adaptation]:
    is_baseline = model.architecture == "baseline"
    fitting = [adaptation for adaptation in adaptations if (adaptation.name == "fit") == is_baseline]
    if not fitting and is_baseline and any(other.architecture != "baseline" for other in models):
        return [parse_adaptation("fit")]
    if not fitting:
        listed = ", ".join(label(adaptation) for adaptation in adaptations)
        raise IncompatibleError(
            f"{model.name} cannot be adapted by {listed}: "
            + ("a baseline has no weights to adapt" if is_baseline else "only a baseline is fitted"),
            remedy=f"use --adapt {'fit' if is_baseline else 'zero-shot'}",
        )
    return fitting


def _seeds(adaptation: Adaptation, seeds: Sequence[int]) -> Iterator[int | None]:
    yield from seeds if adaptation.seeded else (None,)


def _beside(base: Path, reference: str) -> str:
    """A relative path in a study file starts at the file's folder, if something lies there."""
    path, bracket, arguments = reference.partition("(")
    beside = base / path
    is_path = path.startswith((".", "/", "~")) or path.endswith((".yaml", ".yml")) or beside.exists()
    if not is_path or ":" in path:
        return reference
    return f"{beside.expanduser()}{bracket}{arguments}"
