"""One row of the tables: our engine, the harness and the limit in turn, the same work each time."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from answers import make_answers
from language import Language
from limit import Limit
from networks import count_parameters
from peers import Agreement, Answers, Harness, Ours, compare, fastest_rows, now, timed
from shapes import Lengths, Shape, make_choices
from work import Work, count_work

PLANNING = "seconds_planning"
ANSWERING = "seconds_answering"


@dataclass(frozen=True)
class Row:
    """What was measured of one shape with one model. Seconds are those of each repetition, in order."""

    model: str
    shape: str
    questions: int
    work: Work
    rows: int
    """The harness's batch size."""
    dense: str
    """The batch shapes of the limit."""
    ours: tuple[float, ...]
    harness: tuple[float, ...]
    limit: tuple[float, ...]
    agreement: Agreement
    operations: float
    """Floating-point operations of the matrix products with weights: two for each weight and token."""
    facts: Mapping[str, Any]
    """What our engine says about its last run."""

    @property
    def seconds(self) -> float:
        """Our seconds: the median, as everywhere."""
        return statistics.median(self.ours)

    @property
    def ratio(self) -> float:
        """How many times as long the harness takes."""
        return statistics.median(self.harness) / self.seconds

    @property
    def of_limit(self) -> float:
        """The share of our seconds that the bare network would need."""
        return statistics.median(self.limit) / self.seconds

    @property
    def tokens_a_second(self) -> float:
        """Distinct tokens, read and written, in a second of ours."""
        return self.work.tokens / self.seconds


@dataclass(frozen=True)
class Growth:
    """What so many short questions took our engine."""

    model: str
    questions: int
    ours: tuple[float, ...]
    planning: float | None

    @property
    def seconds(self) -> float:
        """Our seconds: the median."""
        return statistics.median(self.ours)


def make_shape(name: str, lengths: Lengths, language: Language, network: Any) -> Shape:
    """The requests of a shape: the same for both sides."""
    return (
        make_answers(lengths, language, network) if lengths.written else make_choices(name, lengths, language)
    )


def measure(
    model: str, shape: Shape, tokenizer: Any, network: Any, repeat: int, rows: int | None = None
) -> Row:
    """A row of the table. Both sides are made, and warmed up on two questions, before the clock starts.

    `rows` is the harness's batch size; without it the fastest is searched.
    """
    import torch

    work = count_work(shape, tokenizer)
    limit = Limit(network, work)
    rows = rows or fastest_rows(network, tokenizer, shape, work)
    harness = Harness(network, tokenizer, rows)
    for side in (Ours(network, tokenizer), harness):
        side.answer(shape.part(2).requests)

    ours_seconds, harness_seconds, limit_seconds = [], [], []
    ours_say: Answers = []
    harness_says: Answers = []
    facts: Mapping[str, Any] = {}
    for _ in range(repeat):
        gc.collect()
        ours = Ours(network, tokenizer)
        run = timed(ours, shape.requests)
        ours_seconds.append(run.seconds)
        ours_say, facts = run.answers, ours.facts()
        run = timed(harness, shape.requests)
        harness_seconds.append(run.seconds)
        harness_says = run.answers
        limit_seconds.append(limit.seconds())

    parameters = count_parameters(network)
    return Row(
        model=model,
        shape=shape.name,
        questions=shape.questions,
        work=work,
        rows=rows,
        dense=str(limit),
        ours=tuple(ours_seconds),
        harness=tuple(harness_seconds),
        limit=tuple(limit_seconds),
        agreement=compare(ours_say, harness_says, exact=network.dtype == torch.float32),
        operations=2.0 * (parameters.layers * work.tokens + parameters.head * work.distributions),
        facts=facts,
    )


def measure_growth(model: str, shape: Shape, tokenizer: Any, network: Any, repeat: int) -> Growth:
    """What a shape takes our engine, and the share of it that planning takes."""
    seconds = []
    facts: Mapping[str, Any] = {}
    for _ in range(repeat):
        gc.collect()
        ours = Ours(network, tokenizer)
        started = now()
        ours.answer(shape.requests)
        seconds.append(now() - started)
        facts = ours.facts()
    return Growth(model, shape.questions, tuple(seconds), planning_share(facts))


def planning_share(facts: Mapping[str, Any]) -> float | None:
    """The share of the time of answering that planning takes; None when the engine does not say."""
    planning, answering = facts.get(PLANNING), facts.get(ANSWERING)
    return None if planning is None or not answering else planning / answering
