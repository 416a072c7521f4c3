"""The two sides: our engine, and lm-evaluation-harness's own backend for transformers, on the same network."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from shapes import Requests, Shape
from work import Work

from tianti.engine import GenerateRequest, GenerateResponse, ScoreResponse
from tianti.engine.causal import CausalBackend

Answers = list[tuple[float, bool]] | list[str]
"""Per request the log-probability in nats and whether it is greedy, or the text."""

ROWS = (1, 4, 8, 16, 32)
"""Batch sizes among which the harness's best one is searched."""
ROWS_TO_TIME = 8
"""The fewest rows that a batch size is tried on."""
WORSE = 1.25
"""The search ends at a batch size that takes so many times as long as the best one."""


class Ours:
    """Our engine, made anew so that nothing is left from an earlier run."""

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.backend = CausalBackend(network, tokenizer, batch="auto")

    def answer(self, requests: Requests) -> Answers:
        """The answers in the order of the requests.

        Raises:
            RuntimeError: a request failed.
        """
        found = dict(self.backend.answer(requests))
        answers: list[Any] = []
        for index in range(len(requests)):
            response = found[index]
            if isinstance(response, ScoreResponse):
                answers.append((response.logprob, response.is_greedy))
            elif isinstance(response, GenerateResponse):
                answers.append(response.text)
            else:
                raise RuntimeError(f"request {index} was not answered: {response}")
        return answers

    def facts(self) -> Mapping[str, Any]:
        """What the engine says about the run."""
        return self.backend.facts()


class Harness:
    """lm-evaluation-harness's HFLM at a batch size, all else as it comes: one-token choices share their logits."""

    def __init__(self, network: Any, tokenizer: Any, rows: int) -> None:
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        from lm_eval.models.huggingface import HFLM

        self.model = HFLM(pretrained=network, tokenizer=tokenizer, batch_size=rows)

    def answer(self, requests: Requests) -> Answers:
        """The answers in the order of the requests."""
        from lm_eval.api.instance import Instance

        kind = "loglikelihood"
        arguments: list[Any] = []
        for request in requests:
            if isinstance(request, GenerateRequest):
                kind = "generate_until"
                settings = {
                    "until": list(request.stop),
                    "max_gen_toks": request.max_tokens,
                    "do_sample": False,
                }
                arguments.append((request.context, settings))
            else:
                arguments.append((request.context, request.continuation))
        instances = [Instance(kind, {}, these, 0) for these in arguments]
        answers: Answers = getattr(self.model, kind)(instances, disable_tqdm=True)
        return answers


def fastest_rows(network: Any, tokenizer: Any, shape: Shape, work: Work) -> int:
    """The batch size at which the harness is the fastest, searched on some questions of a shape.

    Choices are tried in ever larger batches until one is clearly slower, fills the memory or holds everything: seconds
    a row are compared. Written answers differ in length, so all of them are tried, beginning with the largest batch.
    """
    a_question = 1 if work.written or _one_token(shape, tokenizer) else shape.per_question
    sizes = [rows for rows in ROWS if rows < 2 * shape.questions * a_question and fits(rows, work, network)]
    best, least = 1, float("inf")
    Harness(network, tokenizer, 1).answer(shape.part(1).requests)
    for rows in reversed(sizes) if work.written else sizes:
        enough = -(-max(rows, ROWS_TO_TIME) // a_question)
        part = shape if work.written else shape.part(min(shape.questions, enough))
        seconds = timed(Harness(network, tokenizer, rows), part.requests).seconds / part.questions
        if seconds < least:
            best, least = rows, seconds
        elif seconds > WORSE * least:
            break
    return best


def _one_token(shape: Shape, tokenizer: Any) -> bool:
    """Whether all choices are of one token, so that the harness runs one row per question."""
    return all(
        not isinstance(request, GenerateRequest) and len(tokenizer(request.continuation)["input_ids"]) == 1
        for request in shape.requests
    )


def fits(rows: int, work: Work, network: Any) -> bool:
    """Whether the harness's logits and their log-softmax, for all positions of a batch, take less than half the memory.

    A Linux that has no memory left kills the process: it must not be tried.
    """
    if work.written:
        return True
    vocabulary, size = network.get_output_embeddings().weight.shape[0], network.dtype.itemsize
    device = network.device
    free = psutil.virtual_memory().available if device.type == "cpu" else torch.cuda.mem_get_info(device)[0]
    return bool(2 * rows * work.longest * vocabulary * size < free / 2)


@dataclass(frozen=True)
class Timed:
    """The answers of one run and the seconds that it took."""

    seconds: float
    answers: Answers


def timed(side: Ours | Harness, requests: Requests) -> Timed:
    """Answer requests on the clock, tokenising them included, until the device is done."""
    started = now()
    answers = side.answer(requests)
    return Timed(now() - started, answers)


def now() -> float:
    """Seconds, read when the device has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True)
class Agreement:
    """Whether two sides gave the same answers. `largest` difference of log-probabilities, out of `allowed`."""

    agree: bool
    largest: float = 0.0
    allowed: float = 0.0
    equal: int = 0
    """Answers with the same text, or with the same word on whether they are greedy."""
    of: int = 0


def compare(ours: Answers, theirs: Answers, *, exact: bool) -> Agreement:
    """Compare answers in the same order: log-probabilities within the rounding of the type of number, texts equal.

    `exact`: float32. In coarser types near ties go either way, so texts are counted and nothing is asked of them.
    """
    equal = sum(_told(one) == _told(other) for one, other in zip(ours, theirs, strict=True))
    same = equal == len(ours) or not exact
    numbers = [(one[0], other[0]) for one, other in _numbers(ours, theirs)]
    if not numbers:
        return Agreement(same, equal=equal, of=len(ours))
    largest = max(abs(one - other) for one, other in numbers)
    allowed = (1e-4 if exact else 0.03) * max(1.0, *(abs(other) for _, other in numbers))
    # Not the other way round: NaN must not pass.
    return Agreement(same and largest <= allowed, largest, allowed, equal, len(ours))


def _told(answer: Any) -> Any:
    return answer if isinstance(answer, str) else answer[1]


def _numbers(ours: Sequence[Any], theirs: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [pair for pair in zip(ours, theirs, strict=True) if not isinstance(pair[0], str)]
