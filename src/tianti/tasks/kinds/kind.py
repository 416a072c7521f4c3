"""What a kind of task is: how it reads a sample, what it asks, how it grades.

A kind is one short file beside this one, listed in `kinds/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.engine import GenerateRequest, Request, Response
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Field, Row


@dataclass(frozen=True)
class Fields:
    """The keys of a task file, bound to the columns of one split."""

    text: Field
    target: Field | int
    choices: Field | tuple[str, ...] | None
    where: str
    language: str = "en"
    head: Field | None = None
    """The text that a head reads."""
    words: Field | None = None
    entity_types: Mapping[str, str] = field(default_factory=dict)
    """For each type in the tags, in their order, the word for it in answers."""
    no_relation: str | None = None
    passage: Field | None = None
    answer_start: Field | None = None
    own: Mapping[str, Field] = field(default_factory=dict)
    """The columns of the keys that kinds of written text have for themselves, by key."""


@dataclass(frozen=True)
class Form:
    """The right answers of a sample as text; where it has choices, these and the index of the right one.

    Where words are tagged, `choices` are all tags, `words` the characters of each word in the head's text and
    `tags` their tags. Where a span is marked, `span` are the characters of the answer in
    `passage`; None where it is not there.
    """

    targets: tuple[str, ...]
    choices: tuple[str, ...] = ()
    label: int | None = None
    words: tuple[tuple[int, int], ...] = ()
    tags: tuple[str, ...] = ()
    type_names: tuple[tuple[str, str], ...] = ()
    """The types in the tags with the words for them in answers."""
    no_relation: str | None = None
    """The choice that says that there is none."""
    passage: str = ""
    span: tuple[int, int] | None = None
    details: Any = None
    """What else the kind needs to grade, in its own form."""
    prompt: str | None = None
    """What stands before the answer, where it is more than `doc_to_text` makes of the row."""


@dataclass(frozen=True)
class Sample:
    """One sample of a split, rendered but without shots."""

    id: str
    text: str
    """`doc_to_text` rendered: what stands before the answer."""
    form: Form
    head_text: str
    """What a head reads; of a pair both texts, one a line."""
    cluster: str
    description: str
    row: Row
    pair: tuple[str, str] | None = None
    """The two texts where the head reads a pair."""
    group: str = ""
    """Whom or what the sample is about, where groups are compared."""
    variants: tuple[Variant, ...] = ()
    """The other forms in which the sample is asked."""

    @property
    def target(self) -> str:
        """The answer that shots show and training teaches: the first of the right ones."""
        return self.form.targets[0]


@dataclass(frozen=True)
class Variant:
    """A sample in another form: perturbed, with its options in another order, or with its groups swapped.

    `order[j]` is the index that option j of this form has in the sample itself; empty for the others.
    """

    sample: Sample
    order: tuple[int, ...] = ()
    swapped: bool = False


@dataclass(frozen=True)
class Setting:
    """What a kind must know to ask and to grade, besides the sample."""

    task: str
    language: str
    target_delimiter: str
    generation: GenerateRequest
    """How to generate; its context is replaced by the prompt."""
    target_language: str = ""
    """That of the answers, where the task translates."""
    metrics: tuple[str, ...] = ()
    """The names of what is measured: what none of them needs is not asked."""
    shot_delimiter: str = ""
    """Stands between solved examples."""
    generate: int = 0
    """How many texts a data augmentation writes for each label."""
    learned: Any = None
    """What the kind has learned from the training split to grade with; see `Learning`."""


class Kind(Protocol):
    """One kind of task. Implementations have no state."""

    name: ClassVar[str]
    summary: ClassVar[str]
    metrics: ClassVar[Mapping[str, MetricRule]]
    takes_shots: ClassVar[bool]
    needs: ClassVar[tuple[str, ...]]
    """Keys that a file of this kind must have, besides those that every file must have."""
    refuses: ClassVar[tuple[str, ...]]
    """Keys that would do nothing here."""
    version: ClassVar[int]
    """Part of every fingerprint: raise it when the same file would be asked or graded differently."""

    def default_metrics(self, language: str) -> tuple[str, ...]:
        """The metrics of a file that names none; the first ranks."""
        ...

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        """The sample's answer form; TaskError when the row has none (an unknown label, say)."""
        ...

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        """What to ask a backend of these request types; IncompatibleError when it can answer no form of this."""
        ...

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        """All of the kind's metric values for one sample."""
        ...

    def example(self, sample: Sample, setting: Setting) -> Example:
        """The sample as something to learn from."""
        ...

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        """What guessing gives on these samples, or None where that has no meaning."""
        ...


@runtime_checkable
class Signed(Protocol):
    """A kind with metrics of a library: their signatures say how, and by which version, they are computed."""

    def signatures(self, setting: Setting) -> Mapping[str, str]:
        """By the names of the metrics."""
        ...


@runtime_checkable
class Learning(Protocol):
    """A kind that learns from the training split how to grade."""

    def learn(self, samples: Sequence[Sample], language: str) -> Any:
        """What `Setting.learned` is to be, from the samples of the training split."""
        ...


@runtime_checkable
class TeachingMuch(Protocol):
    """A kind with several training examples in a sample."""

    def examples(self, sample: Sample, setting: Setting) -> list[Example]: ...


def incompatible(
    task: str, kind: str, need: str, types: frozenset[type], *, taught: bool = True
) -> IncompatibleError:
    """The error for a backend that can answer no form of a task; `taught`: whether training could give it a head for
    it."""
    can = (
        ", ".join(sorted(request.__name__.removesuffix("Request").lower() for request in types)) or "nothing"
    )
    return IncompatibleError(
        f"{task}: {kind} needs a model that {need}; this one can only {can}",
        remedy=("train it for the task (--adapt lora) where it can learn it, or " if taught else "")
        + "take a causal language model",
    )


def prompted_example(sample: Sample, setting: Setting) -> Example:
    """The training example of a kind whose answer stands behind a prompt."""
    return Example(
        context=sample.description + sample.text,
        continuation=setting.target_delimiter + sample.target,
        text=sample.head_text,
        target=sample.target,
        choices=sample.form.choices,
        label=sample.form.label,
    )


def read_choices(
    choices: Field | tuple[str, ...] | None, row: Row, place: str, where: str
) -> tuple[str, ...]:
    """The choices of one row: at least two texts, none of them empty."""
    values = choices.parsed(row, place) if isinstance(choices, Field) else choices
    if not isinstance(values, list | tuple):
        raise TaskError(f"{where}: {place}: doc_to_choice gives {values!r}, expected a list of texts")
    texts = tuple(str(value) if isinstance(value, int | float) else value for value in values)
    if len(texts) < 2 or not all(isinstance(text, str) and text for text in texts):
        raise TaskError(
            f"{where}: {place}: doc_to_choice gives {list(texts)!r}",
            remedy="give at least two texts, none of them empty",
        )
    return texts


def read_label(fields: Fields, choices: Sequence[str], row: Row, place: str, *, named: bool = False) -> int:
    """The index of the right choice, from a column or template that gives the index or the choice itself.

    A template that renders to digits gives an index, as in lm-evaluation-harness; so do digits in a column of text that
    are none of the choices (a CSV has no numbers). With `named`, a number that is also the name of another choice (3
    among "1", …, "5") is refused instead of guessed at.
    """
    target = fields.target
    value = target if isinstance(target, int) else target.value(row, place)
    rendered = isinstance(target, Field) and not target.is_column
    if isinstance(value, str) and value in choices and not (rendered and value.isdecimal()):
        return choices.index(value)
    index = int(value) if isinstance(value, str) and value.isdecimal() else value
    if not isinstance(index, int) or not 0 <= index < len(choices):
        raise TaskError(
            f"{fields.where}: {place}: unknown label {value!r}",
            remedy=f"one of {', '.join(map(repr, choices))}, or an index from 0 to {len(choices) - 1}",
        )
    if named and str(index) in choices and choices[index] != str(index):
        raise TaskError(
            f"{fields.where}: {place}: label {value!r} can mean {str(index)!r} or the label at index {index}",
            remedy="write the labels in the data as text, or number them from 0",
        )
    return int(index)
