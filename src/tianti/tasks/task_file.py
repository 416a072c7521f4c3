"""The task file: a short YAML that says where the data lies, how a prompt is written and what is measured.

Its keys have lm-evaluation-harness's names where they mean the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
)

from tianti.core.exceptions import TaskError, UnknownNameError, nearest
from tianti.core.neighbours import YAML, name_neighbours
from tianti.core.yaml_file import read_yaml
from tianti.tasks.asking_keys import (
    ASKING_KEYS,
    Extract,
    Pattern,
    Template,
    Templates,
    checked_rule,
    checked_templates,
)
from tianti.tasks.aspect_metrics import FAIRNESS_GAP, ORDER, ROBUST, ROBUSTNESS_GAP
from tianti.tasks.kinds import KINDS
from tianti.tasks.metrics import MAJORITY_VOTE, PASS_AT
from tianti.tasks.task_keys import (
    KEYS_OF_KINDS,
    PAIRED_KINDS,
    TAGS,
    Choices,
    Data,
    DataFiles,
    EntityTypes,
    GeneratedData,
    Generation,
    MetricItem,
    OptionOrder,
    Perturbations,
    Strict,
    Target,
    Text,
    ThinkingLimit,
    data_tag,
)
from tianti.tasks.text_keys import KEYS_OF_TEXTS, Augmentation, Constraints, ProgrammingLanguage

LATER_KEYS = (
    "thinking",
    "repeats",
    "perturbations",
    "option_order",
    "group",
    "words",
    "entity_types",
    "no_relation",
    "passage",
    "answer_start",
    *KEYS_OF_TEXTS,
)
"""Keys that came after the first tasks had fingerprints."""


class TaskFile(Strict):
    """A task file, checked."""

    task: Text
    kind: Text
    data: Data
    doc_to_target: Target
    language: Text = "en"
    doc_to_text: str = ""
    doc_to_choice: Choices | None = None
    target_delimiter: str = " "
    fewshot_delimiter: str = "\n\n"
    fewshot_split: Literal["train", "validation", "test"] = "train"
    description: str = ""
    head_text: Choices | None = None
    words: Text | None = None
    entity_types: EntityTypes | None = None
    no_relation: Text | None = None
    passage: Text | None = None
    answer_start: Text | None = None
    target_language: Text | None = None
    tests: Text | None = None
    programming_language: ProgrammingLanguage | None = None
    slots: Text | None = None
    constraints: Constraints | None = None
    augmentation: Augmentation | None = None
    id: Text | None = None
    cluster: Text | None = None
    metric_list: list[MetricItem] = Field(default_factory=list)
    generation_kwargs: Generation = Generation()
    thinking: ThinkingLimit | None = None
    repeats: int = Field(default=1, gt=0)
    perturbations: Perturbations | None = None
    option_order: OptionOrder | None = None
    group: Text | None = None
    templates: Templates
    instruction: Text | None = None
    doc_to_rationale: Text | None = None
    extract: Extract | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    licence: str = ""
    source: str = ""

    @field_validator("data", mode="before")
    @classmethod
    def _one_file_is_the_test(cls, value: Any) -> Any:
        return {"test": value} if isinstance(value, str) else value

    @field_validator("metric_list", mode="before")
    @classmethod
    def _names_or_items(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [{"metric": item} if isinstance(item, str) else item for item in value]
        return value

    @field_validator("perturbations", mode="before")
    @classmethod
    def _kinds_alone(cls, value: Any) -> Any:
        return {"kinds": value} if isinstance(value, list) else value

    @field_validator("option_order", mode="before")
    @classmethod
    def _number_alone(cls, value: Any) -> Any:
        return {"orders": value} if isinstance(value, int) else value

    @field_validator("templates")
    @classmethod
    def _template_names(cls, value: Any) -> Any:
        return checked_templates(value)

    @field_validator("extract")
    @classmethod
    def _rule(cls, value: Any) -> Any:
        return checked_rule(value) if isinstance(value, str) else value

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics by name, the first ranks: those of the file, or its kind's own; then what its keys for
        robustness, order and groups are there to measure."""
        named = tuple(item.metric for item in self.metric_list) or KINDS[self.kind].default_metrics(
            self.language
        )
        rules = KINDS[self.kind].metrics
        asked = {key for key in ("perturbations", "option_order", "group") if getattr(self, key) is not None}
        wanted = {ROBUST[self.base_metric].name} if self.base_metric in ROBUST else set()
        wanted |= {rule.name for rule in (ROBUSTNESS_GAP, *ORDER, FAIRNESS_GAP)}
        added = (name for name, rule in rules.items() if rule.needs in asked and name in wanted)
        return (*named, *(name for name in added if name not in named))

    @property
    def entity_names(self) -> dict[str, str]:
        """For each type of entity in the tags the word for it in answers."""
        types = self.entity_types or []
        return types if isinstance(types, dict) else {name: name for name in types}

    @property
    def base_metric(self) -> str | None:
        """The metric that robustness and fairness are about: the first that is a mean over samples; None for none."""
        named = [item.metric for item in self.metric_list]
        rules = KINDS[self.kind].metrics
        for name in named or KINDS[self.kind].default_metrics(self.language):
            rule = rules.get(name)
            if rule is not None and rule.scale != "ratio" and not rule.needs:
                return name
        return None

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have data."""
        if isinstance(self.data, GeneratedData):
            return ("train", "validation", "test", "fresh")
        return tuple(split for split, file in self.data.model_dump().items() if file is not None)

    def prompt_settings(self) -> dict[str, Any]:
        """All that decides what is asked and how it is graded, except the data: part of the fingerprint."""
        settings = self.model_dump(
            mode="json", exclude={"data", "metadata", "licence", "source", *ASKING_KEYS}
        )
        # Keys that came later are left out at their defaults, so that fingerprints stay what they were.
        for key in LATER_KEYS:
            if settings[key] == type(self).model_fields[key].default:
                del settings[key]
        return settings


def read_task_file(path: Path) -> TaskFile:
    """The task file at `path`.

    Raises:
        TaskError: no such file, no YAML, an unknown or missing key, or a value of the wrong type.
        UnknownNameError: an unknown kind or metric.
    """
    if not path.is_file():
        raise TaskError(f"no task file {path}", remedy=name_neighbours(path, YAML, "task files"))
    return parse_task_file(read_yaml(path, TaskError), str(path))


def parse_task_file(content: Any, where: str) -> TaskFile:
    """The task file of a YAML mapping; `where` names it in errors."""
    if not isinstance(content, dict):
        raise TaskError(
            f"{where}: expected keys and values, found {content!r:.60}", remedy="tianti task new NAME"
        )
    if "models" in content and "task" not in content:
        raise TaskError(f"{where}: a study, not a task", remedy=f"`tianti run {where}`")
    try:
        file = TaskFile.model_validate(content)
    except ValidationError as error:
        raise TaskError(
            "\n".join(_explain(where, content, problem) for problem in error.errors()),
            remedy="tianti task new NAME writes a file to start from",
        ) from error
    _check_names(file, where)
    return file


def _check_names(file: TaskFile, where: str) -> None:
    kind = KINDS.get(file.kind)
    if kind is None:
        raise UnknownNameError("kind", file.kind, KINDS, where=where)
    for key in kind.needs:
        if key not in file.model_fields_set or getattr(file, key) is None:
            raise TaskError(f"{where}: key {key!r} is missing", remedy=f"a task of kind {kind.name} needs it")
    foreign = (key for key, kinds in (KEYS_OF_KINDS | KEYS_OF_TEXTS).items() if file.kind not in kinds)
    for key in (*kind.refuses, *foreign):
        if getattr(file, key) != TaskFile.model_fields[key].default:
            raise TaskError(
                f"{where}: key {key!r} means nothing for the kind {kind.name}", remedy="leave it out"
            )
    _check_pair(file, where)
    if isinstance(file.doc_to_choice, list) and len(set(file.doc_to_choice)) < len(file.doc_to_choice):
        raise TaskError(
            f"{where}: doc_to_choice names a choice twice: {file.doc_to_choice}", remedy="name it once"
        )
    for item in file.metric_list:
        rule = kind.metrics.get(item.metric)
        if rule is None:
            raise UnknownNameError(
                "metric", item.metric, kind.metrics, where=f"{where}: metric_list of {kind.name}"
            )
        for key, found, expected in (
            ("aggregation", item.aggregation, rule.aggregation),
            ("higher_is_better", item.higher_is_better, rule.higher_is_better),
        ):
            if found is not None and found != expected:
                raise TaskError(
                    f"{where}: metric_list: {key} of {item.metric} is {expected!r} here, found {found!r}",
                    remedy=f"leave {key} out",
                )
    _check_repeats(file, where)
    _check_aspects(file, where)
    if file.augmentation and not file.generation_kwargs.do_sample:
        raise TaskError(
            f"{where}: augmentation writes several texts from one prompt, all the same at temperature 0",
            remedy="give generation_kwargs do_sample: true and a temperature",
        )


def _check_pair(file: TaskFile, where: str) -> None:
    paired = file.kind in PAIRED_KINDS
    if paired and not (isinstance(file.head_text, list) and len(file.head_text) == 2):
        raise TaskError(
            f"{where}: head_text of {file.kind} expects two columns or templates, found {file.head_text!r}",
            remedy="write head_text: [first, second]",
        )
    if not paired and isinstance(file.head_text, list):
        raise TaskError(
            f"{where}: head_text of {file.kind} expects one text, found {file.head_text!r}",
            remedy=f"write one column or template, or kind: {PAIRED_KINDS[0]} for pairs of texts",
        )


def _check_aspects(file: TaskFile, where: str) -> None:
    rules = KINDS[file.kind].metrics
    for item in file.metric_list:
        key = rules[item.metric].needs
        if key and getattr(file, key) is None:
            raise TaskError(
                f"{where}: metric_list: {item.metric} needs the key {key!r}",
                remedy=f"give {key}, or leave it out",
            )
    if (file.perturbations or file.group) and file.base_metric is None:
        raise TaskError(
            f"{where}: robustness and fairness are of a metric that is a mean over samples, and metric_list has none",
            remedy=f"put one of {', '.join(KINDS[file.kind].default_metrics(file.language))} into it",
        )
    if file.perturbations and file.repeats > 1:
        raise TaskError(
            f"{where}: repeats and perturbations do not go together",
            remedy="leave repeats out: sampled answers are drawn as often as robustness needs",
        )


def _check_repeats(file: TaskFile, where: str) -> None:
    if file.repeats > 1 and not file.generation_kwargs.do_sample:
        raise TaskError(
            f"{where}: repeats: {file.repeats} answers to each sample, all the same at temperature 0",
            remedy="give generation_kwargs do_sample: true and a temperature, or leave repeats out",
        )
    # One answer that equals a right one is an exact match; one program that passes has no other name.
    least = 1 if file.kind == "code-generation" else 2
    needed = {MAJORITY_VOTE.name: 2} | {rule.name: max(k, least) for k, rule in PASS_AT.items()}
    for name in file.metric_names:
        if needed.get(name, 1) > file.repeats:
            raise TaskError(
                f"{where}: metric_list: {name} needs {needed[name]} answers to each sample, there are {file.repeats}",
                remedy=f"write repeats: {needed[name]}, or more for a better estimate",
            )


def _explain(where: str, content: Any, problem: Any) -> str:
    """One problem that pydantic found, in words: file, key, what was expected, the nearest valid key."""
    path = [part for part in problem["loc"] if part not in TAGS]
    key = ".".join(map(str, path))
    match problem["type"]:
        case "extra_forbidden":
            valid = _valid_keys(path[:-1], content)
            near = nearest(str(path[-1]), valid)
            hint = (
                f"did you mean {' or '.join(map(repr, near))}?"
                if near
                else f"valid: {', '.join(sorted(valid))}"
            )
            return f"{where}: unknown key {key!r}: {hint}"
        case "missing":
            return f"{where}: key {key!r} is missing"
        case "string_type" if isinstance(problem["input"], bool):
            return f"{where}: {key}: expected text, found {problem['input']} (YAML reads yes, no, on, off so: quote it)"
        case "string_type" if isinstance(problem["input"], int | float):
            return f"{where}: {key}: expected text, found the number {problem['input']} (quote it)"
        case "model_type" | "model_attributes_type" | "dict_type" if path[-1] in (
            "generation_kwargs",
            "thinking",
            "perturbations",
            "option_order",
            "constraints",
            "augmentation",
        ):
            keys = ", ".join(sorted(_valid_keys(path, content)))
            return f"{where}: {key}: expected keys and values ({keys}), found {problem['input']!r:.60}"
        case "list_type":
            return f"{where}: {key}: expected a list, found {problem['input']!r:.60}"
        case "value_error":
            return f"{where}: {key}: {problem['msg'].removeprefix('Value error, ')}"
    message = problem["msg"].removeprefix("Input should be ")
    return f"{where}: {key}: expected {message}, found {problem['input']!r:.60}"


def _valid_keys(path: list[Any], content: Any) -> list[str]:
    models: dict[Any, type[BaseModel]] = {
        "data": GeneratedData if data_tag(content.get("data")) == "generated" else DataFiles,
        "generation_kwargs": Generation,
        "thinking": ThinkingLimit,
        "perturbations": Perturbations,
        "option_order": OptionOrder,
        "constraints": Constraints,
        "augmentation": Augmentation,
        "templates": Template,
        "extract": Pattern,
        "metric_list": MetricItem,
    }
    return list((models[path[0]] if path else TaskFile).model_fields)
