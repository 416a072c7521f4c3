"""The keys of a task file that have keys of their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

Text = Annotated[str, StringConstraints(min_length=1)]
# The branches of unions: pydantic puts them into the path of an error, where a reader has no use for them.
TAGS = ("files", "generated", "number", "one", "many", "named")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DataFiles(Strict):
    """Data files by split, relative to the task file; at least one of them."""

    train: Text | None = None
    validation: Text | None = None
    test: Text | None = None

    @model_validator(mode="after")
    def _some_file(self) -> DataFiles:
        if not (self.train or self.validation or self.test):
            raise ValueError("names no file: give train, validation or test")
        return self


class GeneratedData(Strict):
    """Data from the built-in generated world; `seed` null is the public seed."""

    generator: Literal["nano"]
    kind: Text
    language: Text
    seed: int | None = None


class Generation(Strict):
    """How an answer is generated. `until` null stops at `fewshot_delimiter`; `temperature` 0 is greedy."""

    until: list[Text] | None = None
    max_gen_toks: int = Field(default=256, gt=0)
    do_sample: bool = False
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)

    @field_validator("until", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sampling_needs_temperature(self) -> Generation:
        if self.do_sample != (self.temperature > 0):
            raise ValueError("do_sample: true and a temperature above 0 go together: give both or none")
        return self


class ThinkingLimit(Strict):
    """A thought before the answer: up to the text `end`, which is put there after `max_tokens` tokens without it."""

    max_tokens: int = Field(gt=0)
    end: Text = "</think>"


class Perturbations(Strict):
    """Each sample is asked again in these forms: small changes of wording that leave the right answer what it is.

    `columns` are what is changed; by default the texts that the prompt or the head reads and the answer does not.
    `rate` is the share of words that `misspelling` and `mix` misspell.
    """

    kinds: list[Literal["lowercase", "misspelling", "spaces", "mix"]] = Field(min_length=1)
    columns: list[Text] | None = None
    rate: float = Field(default=0.1, gt=0, le=1)

    @field_validator("kinds")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError(f"names a kind twice: {', '.join(value)}")
        return value


class MetricItem(Strict):
    """A metric by its name; the other keys of lm-evaluation-harness may stand there if they say what holds anyway."""

    metric: Text
    aggregation: str | None = None
    higher_is_better: bool | None = None


def data_tag(value: Any) -> str:
    generated = isinstance(value, GeneratedData) or (isinstance(value, dict) and "generator" in value)
    return "generated" if generated else "files"


Data = Annotated[
    Annotated[DataFiles, Tag("files")] | Annotated[GeneratedData, Tag("generated")], Discriminator(data_tag)
]


Target = Annotated[
    Annotated[Text, Tag("one")] | Annotated[int, Tag("number")],
    Discriminator(lambda value: "number" if isinstance(value, int) else "one"),
]
Choices = Annotated[
    Annotated[Text, Tag("one")] | Annotated[list[Text], Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, list) else "one"),
]


EntityTypes = Annotated[
    Annotated[dict[Text, Text], Tag("named")] | Annotated[list[Text], Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, list) else "named"),
]
"""Types of entities as the tags name them; a mapping gives each the word that stands in answers."""

KEYS_OF_KINDS = {
    "words": ("named-entity-recognition",),
    "entity_types": ("named-entity-recognition",),
    "no_relation": ("relation-extraction",),
    "passage": ("extractive-question-answering",),
    "answer_start": ("extractive-question-answering",),
}
"""Keys that mean something for these kinds of task only."""
PAIRED_KINDS = ("pair-matching",)
"""Kinds whose `head_text` is two texts."""


class OptionOrder(Strict):
    """Each sample is asked under so many orders of its options, the data's own among them.

    `options` names the column that holds the options, or the columns, one an option; by default that of
    `doc_to_choice`.
    """

    orders: int = Field(ge=2, le=24)
    options: Choices | None = None
