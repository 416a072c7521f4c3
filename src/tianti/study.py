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
from types import MappingProxyType
from typing import Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from tianti.adapt import Adaptation, label, parse_adaptation, settings
from tianti.adapt.chain import BETWEEN
from tianti.adapt.search import with_search
from tianti.adapt.sizes import check_sizes, with_sizes
from tianti.adapt.space import parse_search
from tianti.adapt.stages import facts_of_data
from tianti.core.call import Call
from tianti.core.exceptions import IncompatibleError, StudyError, UnknownNameError
from tianti.core.fingerprint import fingerprint
from tianti.core.neighbours import YAML, name_neighbours
from tianti.core.yaml_file import read_yaml
from tianti.models import LoadOptions, Model, open_model
from tianti.tasks import Task, load_tasks
from tianti.tasks.task_file import TaskFile
from tianti.tasks.wording import ALL, OWN, Wording
from tianti.tasks.yaml_task import YamlTask

MANIFEST_VERSION = 1
"""Goes up when the same manifest would mean other numbers: a change of prompts, token split or training."""

CODE = ("aggregate", "interval")
"""Parts of a metric that are functions: the task's fingerprint stands for them, not the manifest."""


class Study(BaseModel):
    """models × adaptations × tasks × seeds, with limits."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    # A description says what is expected: it stands in the error where something else was given.
    study: str = Field("study", description="a name of letters, digits, dots, dashes and underscores")
    models: tuple[str, ...] = Field(
        min_length=1, description="at least one model (nano:llama, ./folder, org/name@revision)"
    )
    adaptations: tuple[str, ...] = Field(
        ("zero-shot",), min_length=1, description="at least one adaptation (zero-shot, few-shot(k=4), lora)"
    )
    tasks: tuple[str, ...] = Field(
        min_length=1, description="at least one task (nano/sentiment, my_task.yaml, harness:hellaswag)"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="at least one whole number")
    train_sizes: tuple[PositiveInt | Literal["all"], ...] = Field(
        (), description="numbers greater than 0, or all: each trained adaptation is a row for each of them"
    )
    """Learning curves: nested parts of the training split, drawn with the seed."""
    search: dict[str, Any] = Field(
        default_factory=dict,
        description="settings to choose from and a number of trials: {lr: 1e-4..1e-2, epochs: [1, 3, 5], trials: 8}",
    )
    """Each trained adaptation is measured with the settings that did best on the validation split."""
    limit: int | None = Field(None, gt=0, description="a whole number greater than 0: samples of each task")
    include: tuple[Path, ...] = Field((), description="folders with lm-eval YAML files of your own")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1 or mps")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto, float32, bfloat16 or float16"
    )
    batch: PositiveInt | Literal["auto"] = Field("auto", description="auto or a whole number greater than 0")
    engine: Literal["transformers", "vllm"] = Field("transformers", description="transformers or vllm")
    """What runs the causal language models that answer as they are."""
    workers: PositiveInt | Literal["auto"] = Field(
        "auto", description="auto or a whole number greater than 0"
    )
    """Processes; the numbers are the same with any number of them."""
    until: Literal["decided"] | None = Field(
        None, description="decided, or nothing: then all samples are asked"
    )
    """Ask samples in one random order and stop each entry when its every comparison is decided."""
    delta: float = Field(2.0, gt=0, lt=100, description="points, above 0 and below 100")
    """How far apart entries in a tie may be."""
    order_seed: int = Field(0, description="a whole number: the seed of the order in which samples are asked")

    @field_validator("study")
    @classmethod
    def _safe_name(cls, name: str) -> str:
        if not name or not all(character.isalnum() or character in ".-_" for character in name):
            raise ValueError("not safe as the name of a file")
        return name

    @field_validator("models", "adaptations", "tasks", "seeds", "include", "train_sizes", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | int) else value

    @field_validator("search", mode="before")
    @classmethod
    def _search_in_words(cls, value: Any) -> Any:
        return parse_search(value) if isinstance(value, str) else value

    @field_validator("models", "adaptations", "tasks", "seeds", "train_sizes")
    @classmethod
    def _once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> Self:
        for key in ("delta", "order_seed"):
            if self.until is None and getattr(self, key) != Study.model_fields[key].default:
                raise ValueError(f"{key} has no effect without until: decided")
        return self

    @property
    def load_options(self) -> LoadOptions:
        return LoadOptions(self.device, self.dtype, self.batch, self.engine)

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
    if not path.exists():
        hint = name_neighbours(path, YAML, "YAML files")
        raise StudyError(
            f"no study file {path}", remedy=f"{hint} (`tianti run MODEL --task TASK` needs no file)"
        )
    content = read_yaml(path, StudyError)
    if not isinstance(content, dict):
        raise StudyError(
            f"{path}: expected a mapping with the keys models and tasks, got {type(content).__name__}",
            remedy="see `examples/` for studies to copy",
        )
    _refuse_task_file(path, content)
    study = checked_study({"study": path.stem, **content}, where=f"{path}: ")
    base = path.parent
    return study.model_copy(
        update={
            "models": tuple(_beside(base, model) for model in study.models),
            "tasks": tuple(_beside(base, task) for task in study.tasks),
            "include": tuple(base / folder for folder in study.include),
        }
    )


def study_of(**fields: Any) -> Study:
    """A Study from its fields; the errors are those of `checked_study`."""
    return checked_study(fields)


def checked_study(
    fields: Mapping[str, Any], *, where: str = "", names: Mapping[str, str] = MappingProxyType({})
) -> Study:
    """A Study from a mapping of its fields.

    `where` begins the errors; `names` are those under which the user gave the fields, where they are not the keys.

    Raises:
        StudyError: a field is missing or has a value that it cannot have; says which, what was expected and given.
        UnknownNameError: there is no such field.
    """
    for key in fields:
        if key not in Study.model_fields:
            remedy = f"{key} is a key of task files, and a study names those: tasks: [my_task.yaml]"
            raise UnknownNameError(
                "key", str(key), Study.model_fields, where=where.removesuffix(": "),
                remedy=remedy if key in TaskFile.model_fields else "",
            )  # fmt: skip
    try:
        return Study.model_validate(dict(fields))
    except ValidationError as error:
        raise _explained(error, where, names) from error


def _explained(error: ValidationError, where: str, names: Mapping[str, str]) -> StudyError:
    """The first fault that pydantic found: key, what was expected, what stood there."""
    fault = error.errors()[0]
    if not fault["loc"]:  # the fields do not fit each other
        return StudyError(where + fault["msg"].removeprefix("Value error, "))
    key = str(fault["loc"][0])
    # Behind the key stand the place in a list, which helps, and pydantic's name of a type, which does not.
    place = "".join(f"[{part}]" for part in fault["loc"][1:2] if isinstance(part, int))
    expected = Study.model_fields[key].description
    if fault["type"] == "missing":
        return StudyError(f"{where}{names.get(key, key)} is missing: give {expected}")
    given = fault["input"]
    return StudyError(f"{where}{names.get(key, key)}{place}: expected {expected}, got {given!r}")


def _refuse_task_file(path: Path, content: Mapping[str, Any]) -> None:
    """A task file is what people give in place of a study most often; say how it is run."""
    if "models" in content or not {"task", "doc_to_text", "doc_to_target"} & set(content):
        return
    reference, folder = str(path), ""
    if "kind" not in content and isinstance(content.get("task"), str):  # lm-eval's own form has no kinds
        reference, folder = f"harness:{content['task']}", f" --include {path.parent}"
    raise StudyError(
        f"{path}: a task file, not a study", remedy=f"`tianti run MODEL --task {reference}{folder}`"
    )


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
    order_seed: int | None = None
    """The seed of the random order in which samples are asked, as many as it takes; None asks all in their order."""

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
                **self._adaptation_facts,
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
                    {
                        name: value
                        for name, value in asdict(metric).items()
                        if name not in CODE and (value or name != "signature")
                    }
                    for metric in self.task.metrics
                ],
            },
            "seed": self.seed,
            "limit": self.limit,
            # Left out where it is transformers, so that those trials keep their ids.
            "engine": {"dtype": self.options.dtype}
            | ({} if self._runs_in_transformers else {"name": self.options.engine}),
            **({} if self.order_seed is None else {"order": {"seed": self.order_seed}}),
        }

    @property
    def questions(self) -> int:
        """How many questions it asks: one for each sample, or one for each sample and template."""
        count, wording = self.task.count(self.limit), self._wording
        if wording is None or not isinstance(self.task, YamlTask):
            return count
        return count * self.task.questions_of_a_sample(wording)

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates in which each sample is asked, in the order of its repeats; none where it is asked in one."""
        wording = self._wording
        if wording is None or wording.template != ALL or not isinstance(self.task, YamlTask):
            return ()
        return (OWN, *self.task.file.templates)

    @property
    def _wording(self) -> Wording | None:
        return getattr(getattr(self.adaptation, "prompt", None) or self.adaptation, "wording", None)

    @property
    def _adaptation_facts(self) -> dict[str, Any]:
        """What the numbers depend on besides the settings; left out where it is nothing, so that ids stay."""
        steps = getattr(self.adaptation, "steps", (self.adaptation,))
        few = any(getattr(step, "max_examples", None) is not None for step in steps)
        data = facts_of_data(self.adaptation)
        wording = self._wording_facts
        return (
            ({"data": data} if data else {})
            | ({"wording": wording} if wording else {})
            | ({"examples": "nested"} if few else {})
        )

    @property
    def _wording_facts(self) -> dict[str, Any]:
        """What the prompt takes from the task file that is no part of the task's fingerprint."""
        wording = self._wording
        if wording is None or not isinstance(self.task, YamlTask):
            return {}
        return self.task.wording_facts(wording)

    @property
    def _runs_in_transformers(self) -> bool:
        return self.options.engine == "transformers" or self.model.architecture == "baseline"

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
        InputError: a model, adaptation or task that does not exist or cannot be read, or a size of train_sizes that is
            more than a task has to learn from.
        IncompatibleError: a model for which no adaptation of the study is left.
    """
    searched = with_search([parse_adaptation(text) for text in study.adaptations], study.search)
    adaptations = with_sizes(searched, study.train_sizes)
    tasks = [task for reference in study.tasks for task in load_tasks(reference, study.include)]
    for adaptation in adaptations if study.train_sizes else ():
        for task in tasks:
            check_sizes(adaptation, task, study.train_sizes)
    objects = {model.name: model for model in in_memory}
    order_seed = study.order_seed if study.until else None
    models = [objects.get(reference) or open_model(reference) for reference in study.models]
    return [
        Trial(model, adaptation, task, seed, study.limit, study.load_options, study.include, order_seed)
        for model in models
        for adaptation in _fitting(model, adaptations, models)
        for task in tasks
        for seed in _seeds(adaptation, study.seeds)
    ]


def trial_of(manifest: Mapping[str, Any]) -> Trial:
    """The trial with this manifest, its model and task opened again."""
    model, task, engine = manifest["model"], manifest["task"], manifest["engine"]
    revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
    study = study_of(
        models=[model["reference"] + revision], adaptations=[full_notation(manifest)], tasks=[task["reference"]],
        seeds=[manifest["seed"] or 0], limit=manifest["limit"], include=[Path(folder) for folder in task["include"]],
        dtype=engine["dtype"], engine=engine.get("name", "transformers"),
    )  # fmt: skip
    found = trials(study)
    return next((trial for trial in found if trial.task.info.name == task["name"]), found[0])


def repeat_command(manifest: Mapping[str, Any]) -> str:
    """The command that runs a trial with this manifest again."""
    model, task = manifest["model"], manifest["task"]
    revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
    parts = [model["reference"] + revision, "--task", task["reference"], "--adapt", full_notation(manifest)]
    for folder in task["include"]:
        parts += ["--include", folder]
    if manifest["seed"] is not None:
        parts += ["--seed", str(manifest["seed"])]
    if manifest["limit"] is not None:
        parts += ["--limit", str(manifest["limit"])]
    if manifest["engine"]["dtype"] != "auto":
        parts += ["--dtype", manifest["engine"]["dtype"]]
    if "name" in manifest["engine"]:
        parts += ["--engine", manifest["engine"]["name"]]
    return "tianti run " + " ".join(shlex.quote(part) for part in parts)


def full_notation(manifest: Mapping[str, Any]) -> str:
    """The adaptation with every setting written out, so that later defaults change nothing."""
    adaptation = manifest["adaptation"]
    steps = adaptation["settings"].get("steps", [adaptation])
    return BETWEEN.join(map(_full_step, steps))


def _full_step(step: Mapping[str, Any]) -> str:
    return str(
        Call(step["name"], {key: value for key, value in step["settings"].items() if value is not None})
    )


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
