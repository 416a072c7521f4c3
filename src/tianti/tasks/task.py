"""What a task is to the rest of the house: questions to ask, a way to grade the responses, and training examples.

A kind of task (`tasks/kinds/`) and the bridge to lm-evaluation-harness (`tasks/harness.py`) both give a `Task`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tianti.engine import Request, Response
from tianti.tasks.chat import Chat
from tianti.tasks.selection import Encode, Selection
from tianti.tasks.wording import Wording

if TYPE_CHECKING:
    from tianti.stats.draws import Draws
    from tianti.stats.intervals import Interval

IntervalOf = Callable[[Sequence[Any], Sequence[str] | None], "Interval"]
"""The interval of a metric from its values per sample and their cluster keys, None where samples stand alone."""
OverDrawsOf = Callable[[Sequence[Any], "Draws"], Sequence[float] | NDArray[np.float64]]
"""A metric over each of many draws of the per-sample values."""


@dataclass(frozen=True)
class Shots:
    """How many solved examples stand before the question, how they are chosen, and the chat in which all is said.

    `selection` is described in `tasks/selection.py`; `encode` gives the points between which `embedding` compares.
    Without a `chat` the prompt is one plain text. `wording` is how else the task is asked than by its own prompt.
    """

    k: int = 0
    selection: Selection = "random"
    seed: int = 0
    chat: Chat | None = None
    encode: Encode | None = field(default=None, compare=False)
    wording: Wording = field(default_factory=Wording)


@dataclass(frozen=True)
class Question:
    """One sample, ready to be asked: its requests, and what `Task.grade` needs to judge the responses."""

    sample_id: str
    requests: tuple[Request, ...]
    prompt: str
    """The text before the answer, as the model sees it; shown on the run's page."""
    target: str
    """The right answer as text; shown beside the model's."""
    sample: Any = None
    """The sample itself, in the task's own form."""
    cluster: str = ""
    """Samples that share a passage or template share this key; empty when each stands alone."""
    repeat: int = 0


@dataclass(frozen=True)
class Grade:
    """What one sample's responses are worth.

    `values` holds for each metric a number, or a list of numbers that the metric's `aggregate` understands (a
    log-probability and its word count, say). They are stored as JSON.
    """

    prediction: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Metric:
    """A number over a run's answers.

    `aggregate` takes the per-sample values in the order of the samples. `chance` is what guessing gives, or None where
    that has no meaning. `scale` says how its interval is made: `proportion` for values of 0 or 1, `mean` for other
    means, `ratio` for anything else (perplexity, corpus BLEU).
    """

    name: str
    aggregate: Callable[[Sequence[Any]], float]
    higher_is_better: bool = True
    chance: float | None = None
    scale: Literal["proportion", "mean", "ratio"] = "proportion"
    interval: IntervalOf | None = None
    """Makes the interval where none of those of `scale` fits."""
    over_draws: OverDrawsOf | None = None
    """What `aggregate` gives for each of many samples of the values at once, bit for bit: a bootstrap asks for it."""
    signature: str = ""
    """How, and by which version of a library, it is computed; part of a trial's identity where there is one."""


@dataclass(frozen=True)
class Example:
    """One training example, in all forms that it has.

    Text to text: `context` and `continuation` (delimiter included), loss on the continuation only.
    For a head or classifier: `text`, the `choices`, and the index `label` of the right one (None when the task has no
    choices, and then the target text is `target`).
    """

    context: str
    continuation: str
    text: str
    target: str
    choices: tuple[str, ...] = ()
    label: int | None = None
    words: tuple[tuple[int, int], ...] = ()
    """The places of the words that are tagged, [start, end) in characters of `text`."""
    tags: tuple[str, ...] = ()
    """The tag of each word, one of `choices`."""
    passage: str = ""
    """Where the answer to the question `text` stands."""
    span: tuple[int, int] | None = None
    """The answer's place in `passage`, [start, end) in characters; None where it does not stand there."""
    pair: tuple[str, str] | None = None
    """The two texts of a pair, which `text` holds one a line; for who can read them as a pair."""


@dataclass(frozen=True)
class TaskInfo:
    """What the board and `tianti tasks show` say about a task."""

    name: str
    kind: str
    language: str = "en"
    description: str = ""
    source: str = ""
    licence: str = ""
    split: str = "test"
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""
    """What `load_tasks` is given to get this task again, where that is more than the name."""


class Task(Protocol):
    """A set of samples with a prompt, an answer form and metrics."""

    @property
    def info(self) -> TaskInfo: ...

    @property
    def fingerprint(self) -> str:
        """sha256 over data, prompt and the version of the metric code; 64 hex digits."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The first one ranks."""
        ...

    def count(self, limit: int | None = None) -> int:
        """How many questions `questions` will give."""
        ...

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        """The questions in the order of the data, in a form that a backend of these request types can answer.

        Raises:
            IncompatibleError: no form of this task fits (generation asked of an encoder), or it has no shots to give.
        """
        ...

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        """Judge the responses to `question.requests`, in their order; none of them is a `Failure`."""
        ...

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        """Labelled examples to learn from; empty when the task has no such split."""
        ...
