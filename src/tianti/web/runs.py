"""One run as its page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tianti.board.inflation import overlap_note
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import Run, Store
from tianti.study import repeat_command
from tianti.web.marking import Marking, marking

DRAWN = ("adaptation.loss_steps", "adaptation.loss_by_step", "adaptation.epoch_steps")
"""Costs that the page shows as a chart."""
SHOWN_ANSWERS = 50
LONGEST_TEXT = 4000
"""Characters of a prompt or an answer that a page shows; the JSON beside it has the whole."""
LONGEST_LIST = 50
"""Elements of a list that a page shows."""


@dataclass(frozen=True)
class ShownAnswer:
    """An answer on a page. `mark` is ✓ or ✗ for right and wrong, a number otherwise, empty where not scored."""

    sample_id: str
    repeat: int
    state: str
    prompt: str
    prediction: str
    target: str
    mark: str
    reason: str


@dataclass(frozen=True)
class RunPage:
    """What the page of a run shows; `data` is all of it, with every answer, as JSON-ready data."""

    run: Run
    scores: Sequence[Score]
    command: str
    settings: Sequence[tuple[str, str]]
    cost: Sequence[tuple[str, str]]
    environment: Sequence[tuple[str, str]]
    answers: Sequence[ShownAnswer]
    overlap: str
    """What of the test items stands in the training data; empty where nothing was found."""
    data: Mapping[str, Any]


def read_run_page(store: Store, run_id: str) -> RunPage:
    """Everything about a run.

    Raises:
        UnknownNameError: there is no such run.
        StoreError: its answers are gone or were changed since they were sealed.
    """
    return run_page(store.run(run_id), store.scores(run_id), store.answers(run_id))


def run_page(run: Run, scores: Sequence[Score], answers: Sequence[Answer]) -> RunPage:
    """What the page of a run shows of it."""
    marked = marking(scores)
    return RunPage(
        run=run,
        scores=scores,
        command=repeat_command(run.manifest),
        settings=list(flat(run.manifest)),
        cost=[(name, text) for name, text in flat(run.cost) if name not in DRAWN],
        environment=list(flat(run.environment)),
        answers=[shown(answer, marked) for answer in answers[:SHOWN_ANSWERS]],
        overlap=overlap_note([run.cost.get("contamination", {})]),
        data={
            **asdict(run),
            "command": repeat_command(run.manifest),
            "scores": [asdict(score) for score in scores],
            "answers": [_public(answer) for answer in answers],
        },
    )


def shown(answer: Answer, marking: Marking, longest: int = LONGEST_TEXT) -> ShownAnswer:
    """An answer, its texts cut to `longest` characters."""
    return ShownAnswer(
        sample_id=answer.sample_id,
        repeat=answer.repeat,
        state=answer.state,
        prompt=_cut(answer.prompt, longest),
        prediction=_cut(answer.prediction, longest),
        target=_cut(answer.target, longest),
        mark=marking.mark(answer) if answer.state == "ok" else "",
        reason=answer.reason,
    )


def flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as (dotted name, text), leaving out what is not set."""
    for key, value in facts.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{name}.")
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            for index, item in enumerate(value):
                yield from flat({str(index): item}, f"{name}.")
        elif value is not None and value != "" and value != []:
            yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f") if abs(value) >= 10_000 else str(value)
    if isinstance(value, list | tuple):
        more = len(value) - LONGEST_LIST
        shown = ", ".join(_text(item) for item in value[:LONGEST_LIST])
        return f"{shown}, … (+{more})" if more > 0 else shown
    return str(value)


def _public(answer: Answer) -> dict[str, Any]:
    """An answer without its raw responses, which the store keeps."""
    return {name: value for name, value in asdict(answer).items() if name != "responses"}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + " […]"
