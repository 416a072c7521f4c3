"""The keys of a study file, what each expects, and writing them out again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from tianti.adapt.space import parse_search
from tianti.models import LoadOptions


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
    stream: tuple[str, ...] = Field((), description="tasks in the order in which they are learned")
    """One task is learned after another, and all are asked after each; `tasks` is then left out."""
    strategies: tuple[str, ...] = Field(
        (), description="ways of learning a stream (plain, joint, separate, replay(size=200))"
    )
    """Each adaptation learns the stream by each of them; plain where none is given."""
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
    transfer: tuple[str, ...] = Field(
        (), description="tasks to learn in place of those that are asked, or all: the study's own tasks"
    )
    """Each trained adaptation learns each of these tasks, and is asked every task of the study."""
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

    @field_validator(
        "models", "adaptations", "tasks", "stream", "strategies", "seeds", "include", "train_sizes", "transfer",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | int) else value

    @field_validator("search", mode="before")
    @classmethod
    def _search_in_words(cls, value: Any) -> Any:
        return parse_search(value) if isinstance(value, str) else value

    @field_validator("models", "adaptations", "tasks", "seeds", "train_sizes", "transfer")
    @classmethod
    def _once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(values))

    @model_validator(mode="before")
    @classmethod
    def _tasks_of_stream(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        for key, otherwise in (("stream", "each task is learned by itself"), ("strategies", "it is plain")):
            # A study that is written out has tuples, and an empty one there stands for a key that was left out.
            if values.get(key) == []:
                expected = cls.model_fields[key].description
                raise ValueError(
                    f"{key}: expected {expected}, got an empty list; leave {key} out, then {otherwise}"
                )
        if values.get("stream") and not values.get("tasks"):
            return {**values, "tasks": values["stream"]}
        return values

    @model_validator(mode="after")
    def _stream_alone(self) -> Self:
        if self.strategies and not self.stream:
            raise ValueError(
                "strategies are ways of learning a stream, and none is given: stream: [task, task]"
            )
        for strategy in self.strategies:
            times = self.strategies.count(strategy)
            if times > 1:
                raise ValueError(
                    f"strategies: expected each once, got {strategy} {times} times; leave one of them out"
                )
        if not self.stream:
            return self
        if len(self.stream) == 1:
            (task,) = self.stream
            raise ValueError(
                f"stream: expected two tasks or more, in the order in which they are learned, got {task} alone; add "
                f"tasks to it, or give tasks: [{task}] in place of stream"
            )
        for place, task in enumerate(self.stream):
            if task in self.stream[:place]:
                raise ValueError(
                    f"stream: expected each task once, got {task} as tasks {self.stream.index(task) + 1} and "
                    f"{place + 1}; leave one of them out"
                )
        if self.tasks != self.stream:
            raise ValueError("tasks: a study with a stream asks the tasks of the stream; leave tasks out")
        for key in ("search", "until", "transfer"):
            if getattr(self, key):
                raise ValueError(f"{key} does not go together with stream; leave it out")
        return self

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
