"""What a study would take, before it is run: samples, tokens, and a rough time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tianti.adapt import Continual
from tianti.adapt.stages import Stage, stages
from tianti.engine import (
    ChooseRequest,
    GenerateRequest,
    Request,
    RollingRequest,
    ScoreRequest,
    SpanRequest,
    TagRequest,
)
from tianti.models import Model
from tianti.study import Trial

LOOKED_AT = 32
"""Questions whose tokens are counted; the rest are taken to be like them."""

USED_OF_PEAK = 0.3
"""The share of a matrix product's speed that a model reaches; a rule of thumb, as good as the estimate needs."""


@dataclass(frozen=True)
class Estimate:
    """What one trial would take. Tokens are those of the requests as they are asked, before any sharing."""

    trial: str
    samples: int
    tokens: int
    training_tokens: int
    seconds: float


def estimate(trials: Sequence[Trial]) -> list[Estimate]:
    """An estimate for each trial; loads tokenizers and data, no weights."""
    return [_estimate(trial) for trial in trials]


def _estimate(trial: Trial) -> Estimate:
    samples = trial.task.count(trial.limit)
    if trial.model.architecture == "baseline":
        return Estimate(trial.title, samples, 0, 0, 0.0)
    tokenizer = _tokenizer(trial.model)

    def count(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(list(texts))["input_ids"]]

    types = _request_types(trial)
    shots = trial.adaptation.shots(trial.seed or 0, tokenizer)
    if shots.selection == "embedding":  # no weights are loaded here; any examples are about as long
        shots = replace(shots, selection="random")
    looked_at = list(trial.task.questions(shots, types, min(samples, LOOKED_AT)))
    texts = [_text(request) for question in looked_at for request in question.requests]
    tokens = round(sum(count(texts)) / max(len(looked_at), 1) * samples)
    training_tokens = _training_tokens(trial, count) if trial.adaptation.trains else 0
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


def _training_tokens(trial: Trial, count: Callable[[Sequence[str]], list[int]]) -> int:
    learned = _newly_learned(trial)
    if not learned:
        return 0
    looked_at = learned[0].task.examples("train")[:LOOKED_AT]
    per_example = sum(count([example.context + example.continuation for example in looked_at])) / max(
        len(looked_at), 1
    )
    return round(per_example * sum(_passes(stage) for stage in learned))


def _newly_learned(trial: Trial) -> list[Stage]:
    """What is learned for this trial; of a stream the newest stage, for the task that it teaches: the stages before it
    are other trials'."""
    learned = stages(trial.adaptation, trial.task, 0)
    if not isinstance(trial.adaptation, Continual) or not learned:
        return learned
    newest = learned[-1].task.fingerprint == trial.task.fingerprint
    return learned[-len(trial.adaptation.groups[-1]) :] if newest else []


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
def _tokenizer(model: Model) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model.path)


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
