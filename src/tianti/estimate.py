"""What a study would take, before it is run: samples, tokens, and a rough time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tianti.adapt import Continual, Update
from tianti.adapt.stages import Stage, stages
from tianti.core.exceptions import TiantiError
from tianti.engine import (
    ChooseRequest,
    GenerateRequest,
    Request,
    RollingRequest,
    ScoreRequest,
    SpanRequest,
    TagRequest,
)
from tianti.models import LoadedModel, LoadOptions, Model
from tianti.models.outline import outline_model
from tianti.study import Trial

LOOKED_AT = 32
"""Questions whose tokens are counted; the rest are taken to be like them."""

USED_OF_PEAK = 0.3
"""The share of a matrix product's speed that a model reaches; a rule of thumb, as good as the estimate needs."""


@dataclass(frozen=True)
class Estimate:
    """What one trial would take. Tokens are those of the requests as they are asked, before any sharing.

    `refused` is why it would not be run, by the checks of a run; empty where it would. Then it takes nothing.
    """

    trial: str
    samples: int
    tokens: int = 0
    training_tokens: int = 0
    seconds: float = 0.0
    refused: str = ""


def estimate(trials: Sequence[Trial], finished: Sequence[Trial] = ()) -> list[Estimate]:
    """An estimate for each trial; loads tokenizers and data, no weights.

    What the `finished` ones have learned is not learned again. A stage of a stream serves every task that is asked
    after it, and is counted at the first trial that needs it.
    """
    known = {lesson.key for trial in finished for lesson in _lessons(trial)}
    found = []
    for trial in trials:
        lessons = [lesson for lesson in _lessons(trial) if lesson.key not in known]
        found.append(_estimate(trial, [stage for lesson in lessons for stage in lesson.stages]))
        if isinstance(trial.adaptation, Continual):
            known.update(lesson.key for lesson in lessons)
    return found


@dataclass(frozen=True)
class _Lesson:
    """What is learned at once; `key` is the same where it follows the same lessons of the same model."""

    stages: Sequence[Stage]
    key: tuple[Any, ...]


def _lessons(trial: Trial) -> list[_Lesson]:
    """What a trial learns, in order; a step that goes on with the one before has its settings."""
    learned: list[Stage] = []
    for stage in stages(trial.adaptation, trial.task, trial.seed or 0):
        step = stage.step.after(learned[-1].step) if isinstance(stage.step, Update) else stage.step
        learned.append(replace(stage, step=step))
    groups = (
        trial.adaptation.groups if isinstance(trial.adaptation, Continual) else ((each,) for each in learned)
    )
    key: tuple[Any, ...] = (trial.model.fingerprint, trial.options.dtype)
    found = []
    for size in map(len, groups):
        part, learned = learned[:size], learned[size:]
        key = (*key, *((repr(stage.step), stage.task.fingerprint, stage.seed) for stage in part))
        found.append(_Lesson(part, key))
    return found


def _estimate(trial: Trial, learned: Sequence[Stage]) -> Estimate:
    samples = trial.task.count(trial.limit)
    try:
        model = _outline(trial.model, trial.options)
        trial.adaptation.check(model, trial.task)
    except TiantiError as error:
        return Estimate(trial.title, samples, refused=str(error))
    if trial.model.architecture == "baseline":
        return Estimate(trial.title, samples)
    tokenizer: Any = model.tokenizer

    def count(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(list(texts))["input_ids"]]

    types = _request_types(trial)
    shots = trial.adaptation.shots(trial.seed or 0, tokenizer)
    if shots.selection == "embedding":  # no weights are loaded here; any examples are about as long
        shots = replace(shots, selection="random")
    looked_at = list(trial.task.questions(shots, types, min(samples, LOOKED_AT)))
    texts = [_text(request) for question in looked_at for request in question.requests]
    tokens = round(sum(count(texts)) / max(len(looked_at), 1) * samples)
    training_tokens = round(sum(_training_tokens(stage, count) for stage in learned))
    # Kaplan et al. 2020 (arXiv 2001.08361, §2.1): 2 operations per parameter and token forward, 6 with the backward.
    operations = (trial.model.parameters or 0) * (2 * tokens + 6 * training_tokens)
    return Estimate(trial.title, samples, tokens, training_tokens, operations / (_speed() * USED_OF_PEAK))


def _request_types(trial: Trial) -> frozenset[type]:
    """What the model will be asked for under the trial's adaptation."""
    match trial.model.architecture:
        case "causal":
            return frozenset({ScoreRequest, RollingRequest, GenerateRequest})
        case "seq2seq":
            return frozenset({ScoreRequest, GenerateRequest})
        case "masked" if not trial.adaptation.trains:
            return frozenset({ScoreRequest})
        case _:
            return frozenset({ChooseRequest, TagRequest, SpanRequest})


def _training_tokens(stage: Stage, count: Callable[[Sequence[str]], list[int]]) -> float:
    looked_at = stage.task.examples("train")[:LOOKED_AT]
    tokens = sum(count([example.context + example.continuation for example in looked_at]))
    return tokens / max(len(looked_at), 1) * _passes(stage)


def _passes(stage: Stage) -> int:
    """How many examples a trained step reads, each as often as there are epochs."""
    step, read = stage.step, len(stage.task.examples("train"))
    most = getattr(step, "max_examples", None) or read
    epochs = getattr(getattr(step, "base", step), "epochs", 1) or 1
    return (
        min(read, most) * epochs * getattr(step, "trials", 1)
    )  # a search tries about as long as its base takes


def _text(request: Request) -> str:
    match request:
        case ScoreRequest(context, continuation):
            return context + continuation
        case GenerateRequest(context):
            return context
        case RollingRequest(text) | ChooseRequest(text) | TagRequest(text):
            return text
        case SpanRequest(question, passage):
            return question + passage


@lru_cache(maxsize=8)
def _outline(model: Model, options: LoadOptions) -> LoadedModel:
    return outline_model(model, options)


@lru_cache(maxsize=1)
def _speed() -> float:
    """Operations a second of a 1024 × 1024 matrix product on this machine, best of three."""
    import torch

    matrix = torch.rand(1024, 1024)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return float(2 * 1024**3 / min(seconds))
