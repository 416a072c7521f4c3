"""`tianti explain`: why a run's answers were given, kept beside them, and a check that what was found matters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tianti.adapt import Adapted
from tianti.adapt.embedding import with_embedder
from tianti.conductor import adapt
from tianti.core.exceptions import IncompatibleError, StoreError
from tianti.core.progress import Progress
from tianti.evaluation.answer import Answer
from tianti.models import LoadedModel, load_model
from tianti.stats.intervals import Interval, difference_interval
from tianti.store import Run, Store
from tianti.study import Trial, repeat_command, trial_of
from tianti.tasks.task import Question

CLOSE = 0.02
"""Nats by which a score may differ from the recorded one: other batches, other order of sums."""


@dataclass(frozen=True)
class Again:
    """A run's trial with its model as it answered."""

    trial: Trial
    model: LoadedModel
    adapted: Adapted


@dataclass(frozen=True)
class Explained:
    """What was found for a run's first samples, by sample and repeat, and what deleting tokens says of it.

    `top_drop` and `random_drop` are means over the samples of how far the answer's probability falls; `check` is their
    difference with its paired interval. `refused` are the samples that could not be,
    with the reasons.
    """

    run_id: str
    samples: Mapping[tuple[str, int], Mapping[str, Any]]
    top_drop: float
    random_drop: float
    check: Interval
    refused: Mapping[str, str]


def load_again(store: Store, run: Run, progress: Progress) -> Again:
    """The model of a run as it was measured; what was trained is loaded.

    Raises:
        StoreError: model, task or adaptation are not what they were when the run was measured.
    """
    trial = trial_of(run.manifest)
    if trial.id != run.trial_id:
        raise StoreError(
            f"run {run.run_id}: its model or its task is not what it was",
            remedy="run the study again: " + repeat_command(run.manifest),
        )
    model = load_model(trial.model, trial.options)
    return Again(trial, model, adapt(trial, model, store, progress))


def explain_run(store: Store, run: Run, progress: Progress, samples: int, steps: int) -> Explained:
    """Explain the answers to the first `samples` of a run; those that are explained already are found.

    Raises:
        IncompatibleError: the answers are not chosen, or the model is none whose gradients are followed.
        MissingExtraError: captum is not installed.
    """
    answers = [answer for answer in store.answers(run.run_id) if answer.state == "ok"][:samples]
    if not answers:
        raise IncompatibleError(
            f"run {run.run_id}: it has no answer that could be explained",
            remedy="take a finished run with answers: `tianti show RUN` counts them",
        )
    known = store.explanations(run.run_id)
    missing = [answer for answer in answers if known.get(_key(answer), {}).get("least_steps") != steps]
    refused: dict[str, str] = {}
    if missing:
        again = load_again(store, run, progress)
        questions = _questions(again, {_key(answer) for answer in missing})
        with progress.meter(f"explain · {again.trial.title}", len(missing)) as meter:
            for answer in missing:
                try:
                    found = _explained(again, questions[_key(answer)], answer, steps)
                    store.put_explanation(run.run_id, answer.sample_id, answer.repeat, found)
                except IncompatibleError as error:
                    refused[answer.sample_id] = error.message
                meter.advance()
        if len(refused) == len(answers):
            raise IncompatibleError(
                f"run {run.run_id}: {next(iter(refused.values()))}",
                remedy="explain the answers of a head, a causal or an encoder–decoder model to a task with choices",
            )
        known = store.explanations(run.run_id)
    shown = {_key(answer): known[_key(answer)] for answer in answers if _key(answer) in known}
    return _checked(run.run_id, shown, answers, refused)


def _checked(
    run_id: str,
    shown: Mapping[tuple[str, int], Mapping[str, Any]],
    answers: Sequence[Answer],
    refused: Mapping[str, str],
) -> Explained:
    """With the deletion check over the samples that were explained."""
    rows = [(answer, shown[_key(answer)]["deletion"]) for answer in answers if _key(answer) in shown]
    tops = [row["top_drop"] for _, row in rows]
    others = [row["random_drop"] for _, row in rows]
    clusters = [answer.cluster for answer, _ in rows]
    differences = [top - other for top, other in zip(tops, others, strict=True)]
    check = difference_interval(differences, clusters if all(clusters) else None)
    count = len(rows)
    return Explained(run_id, shown, math.fsum(tops) / count, math.fsum(others) / count, check, refused)


def _explained(again: Again, question: Question, answer: Answer, steps: int) -> dict[str, Any]:
    """Attribution and deletion of one answer, as JSON."""
    from tianti.evaluation.attribution import attribute, delete_tokens, read_rows
    from tianti.evaluation.attribution.attribution import logprobs

    rows = read_rows(again.adapted, again.model, question)
    scores = logprobs(rows)
    recorded = _recorded(answer, len(scores))
    if recorded is not None and max(abs(a - b) for a, b in zip(scores, recorded, strict=True)) > CLOSE:
        raise IncompatibleError(
            f"the scores {_said(scores)} are not the recorded ones, {_said(recorded)}: this way of adapting a model "
            "is not followed here",
            remedy="explain another adaptation: lora, full, head-only, zero-shot, few-shot",
        )
    chosen = max(range(len(scores)), key=scores.__getitem__)
    found = attribute(rows, chosen, again.model.tokenizer, steps)
    deletion = delete_tokens(rows, found, chosen, [answer.sample_id, answer.repeat])
    return {
        "method": "integrated gradients (captum)",
        "least_steps": steps,
        **asdict(found),
        "deletion": asdict(deletion),
    }


def _recorded(answer: Answer, choices: int) -> list[float] | None:
    """The log-probabilities over the choices that are on record."""
    first = answer.responses[0] if answer.responses else {}
    if "logprobs" in first:
        raw = list(first["logprobs"])
    else:
        raw = [float(each["logprob"]) for each in answer.responses[:choices] if "logprob" in each]
    if len(raw) != choices:
        return None
    highest = max(raw)
    total = highest + math.log(math.fsum(math.exp(each - highest) for each in raw))
    return [each - total for each in raw]


def _questions(again: Again, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Question]:
    """The questions of these samples and repeats, as they were asked."""
    trial = again.trial
    shots = with_embedder(trial.adaptation.shots(trial.seed or 0, again.model.tokenizer), again.model)
    found: dict[tuple[str, int], Question] = {}
    for question in trial.task.questions(shots, again.adapted.backend.request_types, trial.limit):
        key = (question.sample_id, question.repeat)
        if key in wanted:
            found[key] = question
        if len(found) == len(wanted):
            break
    return found


def _key(answer: Answer) -> tuple[str, int]:
    return answer.sample_id, answer.repeat


def _said(scores: Sequence[float]) -> str:
    return "[" + ", ".join(f"{score:.3f}" for score in scores) + "]"
