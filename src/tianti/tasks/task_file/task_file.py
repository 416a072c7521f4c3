"""All keys of a task file, and what follows from them: its metrics, its splits, its part of the fingerprint."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tianti.tasks.aspect_metrics import COUNTERFACTUAL, FAIRNESS_GAP, ORDER, ROBUST, ROBUSTNESS_GAP
from tianti.tasks.kinds import KINDS
from tianti.tasks.task_file.asking_keys import (
    ASKING_KEYS,
    Extract,
    Templates,
    checked_rule,
    checked_templates,
)
from tianti.tasks.task_file.keys import (
    Choices,
    Data,
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
)
from tianti.tasks.task_file.text_keys import KEYS_OF_TEXTS, Augmentation, Constraints, ProgrammingLanguage

LATER_KEYS = (
    "thinking",
    "repeats",
    "perturbations",
    "option_order",
    "counterfactual",
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
    counterfactual: dict[Text, Text] | None = Field(default=None, min_length=1)
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
        robustness, order, pairs and groups are there to measure."""
        named = tuple(item.metric for item in self.metric_list) or KINDS[self.kind].default_metrics(
            self.language
        )
        rules = KINDS[self.kind].metrics
        asked = {
            key
            for key in ("perturbations", "option_order", "counterfactual", "group")
            if getattr(self, key) is not None
        }
        wanted = {ROBUST[self.base_metric].name} if self.base_metric in ROBUST else set()
        wanted |= {rule.name for rule in (ROBUSTNESS_GAP, *ORDER, *COUNTERFACTUAL, FAIRNESS_GAP)}
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
