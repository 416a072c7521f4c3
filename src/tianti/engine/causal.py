"""The backend for causal language models of transformers, bare or wrapped by peft."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Literal

from tianti.core.exceptions import IncompatibleError
from tianti.engine.advice import without_advice
from tianti.engine.backend import network_facts
from tianti.engine.batches import Batches, BatchLimit, Row, Usage, batch_limit
from tianti.engine.generation.continuous import ContinuousGenerator
from tianti.engine.generation.transformers_generate import Generator
from tianti.engine.generation.writing import Prompt
from tianti.engine.requests import (
    Failure,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.scoring.cached import CachedReader, CachedScorer
from tianti.engine.scoring.lengthwise import LengthwiseScorer, frequencies_change_after
from tianti.engine.scoring.logits import Head, Scored, Scorer
from tianti.engine.scoring.plain import PlainReader, PlainScorer
from tianti.engine.scoring.tree import TreeReader, TreeScorer
from tianti.engine.tokens import CausalTokens, Window, find_max_length, soft_prompt_length

REQUESTS_AT_ONCE = 8192
"""Requests of which one prefix tree is made; what is in memory grows with them and not with all."""

BROKEN_IN_A_ROW = 8
"""Windows that are not finite even alone after which the network counts as broken, and no more are read again."""


class CausalBackend:
    """Answers score, rolling and generation requests with the numbers of lm-evaluation-harness's HF backend.

    The network is put into evaluation mode, and moved when `device` is given; nothing else about it changes. `batch`
    is a number of rows, or `auto`: as many as fit a token budget that halves when memory runs out.
    """

    request_types = frozenset({ScoreRequest, RollingRequest, GenerateRequest})

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        *,
        device: str | None = None,
        batch: int | Literal["auto"] = "auto",
    ) -> None:
        self.network = (network if device is None else network.to(device)).eval()
        vocabulary = network.get_input_embeddings().weight.shape[0]
        soft_prompt = soft_prompt_length(network)
        whole_length = find_max_length(network.config, tokenizer)
        max_length = whole_length - soft_prompt
        self._frequencies_change_after = [
            length - soft_prompt for length in frequencies_change_after(network, whole_length)
        ]
        self.tokens = CausalTokens(tokenizer, max_length, vocabulary)
        self.batch = batch
        self.limit = batch_limit(network, batch, vocabulary)
        self.usage = Usage(limit=self.limit)
        self.scorer = self._scorer()
        self.generator: ContinuousGenerator | Generator | None = None

    def prepare(self, requests: Sequence[Request]) -> None:
        self.network.eval()
        asked = self._read(requests).values()
        self.scorer.prepare([window for those in asked if isinstance(those, list) for window in those])
        prompts = [what for what in asked if isinstance(what, Prompt)]
        # A model that cannot generate says so in its answers.
        with suppress(IncompatibleError):
            if prompts and isinstance(generator := self._generator(), ContinuousGenerator):
                generator.prepare(prompts)

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[int, Response]]:
        """As the protocol says; `requests` may be an endless stream, of which some are read at a time."""
        stream, first = iter(requests), 0
        while some := list(islice(stream, REQUESTS_AT_ONCE)):
            for index, response in self._answer(some):
                yield first + index, response
            first += len(some)

    def _answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        self.network.eval()
        with self.usage.timed():
            asked = self._read(requests)
        windows: dict[int, list[Window]] = {}
        prompts: dict[int, Prompt] = {}
        for index, what in asked.items():
            match what:
                case Failure():
                    yield index, what
                case Prompt():
                    prompts[index] = what
                case []:
                    yield index, RollingResponse(0.0)
                case _:
                    windows[index] = what
        for index, scores in self._score(windows):
            yield index, _scored_response(requests[index], windows[index], scores)
        yield from self._generate(prompts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.tokens.count(texts)

    def facts(self) -> Mapping[str, Any]:
        return {
            "backend": "causal",
            **network_facts(self.network),
            "max_length": self.tokens.max_length,
            **self.scorer.facts(),
            **({} if self.generator is None else self.generator.facts()),
            "batch": self.batch,
            **self.usage.facts(),
        }

    _ways = ("tree", "cached", "plain")

    def _scorer(self) -> Scorer:
        """The fastest way of scoring that a check on a few tokens shows to be right for this network."""
        head = Head(self.network)
        scorer = self._sharing_scorer(head)
        if scorer is not None and not self._frequencies_change_after:
            return scorer
        plain = PlainScorer(PlainReader(self.network, head), self.limit, self.usage)
        if not self._frequencies_change_after:
            return plain
        return LengthwiseScorer(scorer or plain, plain, self._frequencies_change_after)

    def _sharing_scorer(self, head: Head) -> Scorer | None:
        """The faster of the ways that read each distinct token once; None where none of them is right."""
        with without_advice():
            if "tree" in self._ways and (tree := TreeReader(self.network, head)).is_right():
                return TreeScorer(tree, self.limit, self.usage)
            if "cached" in self._ways and (cached := CachedReader(self.network, head)).is_right():
                return CachedScorer(cached, self.limit, self.usage)
        return None

    def _read(self, requests: Sequence[Request]) -> dict[int, list[Window] | Prompt | Failure]:
        """The tokens of each request: windows to score, a prompt to go on from, or why there are none."""
        kinds: dict[type, dict[int, Any]] = {kind: {} for kind in self.request_types}
        asked: dict[int, list[Window] | Prompt | Failure] = {}
        for index, request in enumerate(requests):
            if type(request) in kinds:
                kinds[type(request)][index] = request
            else:
                asked[index] = Failure("skipped", f"a causal model cannot answer a {type(request).__name__}")
        score, roll, generate = kinds[ScoreRequest], kinds[RollingRequest], kinds[GenerateRequest]
        for index, window in zip(score, self.tokens.windows(list(score.values())), strict=True):
            asked[index] = window if isinstance(window, Failure) else [window]
        for index, rolling in zip(roll, self.tokens.rolling(list(roll.values())), strict=True):
            asked[index] = rolling
        for index, tokens in zip(generate, self.tokens.prompts(list(generate.values())), strict=True):
            asked[index] = tokens if isinstance(tokens, Failure) else Prompt(generate[index], tokens)
        return asked

    def _score(self, asked: Mapping[int, list[Window]]) -> Iterator[tuple[int, list[Scored | Failure]]]:
        """(index of the request, the scores of its windows in order), as soon as all of them are there."""
        windows = [window for those in asked.values() for window in those]
        if not windows:
            return
        place = [(index, number) for index, those in asked.items() for number in range(len(those))]
        self.usage.asked_tokens += sum(len(window.tokens) - 1 for window in windows)
        found: dict[int, dict[int, Scored | Failure]] = {index: {} for index in asked}
        for window, score in self._whole_scores(windows):
            index, number = place[window]
            scores = found[index]
            scores[number] = score
            if len(scores) == len(asked[index]):
                yield index, [scores[number] for number in range(len(scores))]
                del found[index]

    def _whole_scores(self, windows: Sequence[Window]) -> Iterator[tuple[int, Scored | Failure]]:
        """The scores of each window; those that are not finite come from reading it alone.

        One NaN spoils what is computed beside it: a weight of 0 times NaN is NaN.
        """
        suspects = {}
        for number, score in self.scorer.score(windows):
            if _is_finite(score):
                yield number, score
            else:
                suspects[number] = score
        broken = 0
        for number, score in suspects.items():
            if broken < BROKEN_IN_A_ROW:
                ((_, score),) = self.scorer.score([windows[number]])
                broken = 0 if _is_finite(score) else broken + 1
            yield number, score

    def _generate(self, prompts: Mapping[int, Prompt]) -> Iterator[tuple[int, Response]]:
        if not prompts:
            return
        try:
            generator = self._generator()
        except IncompatibleError as error:
            yield from ((index, Failure("skipped", error.message)) for index in prompts)
            return
        indices, given = list(prompts), list(prompts.values())
        if isinstance(generator, ContinuousGenerator):
            for number, response in generator.generate(given):
                self.usage.asked_tokens += response.tokens
                yield indices[number], response
            return

        def run(batch: Sequence[int]) -> list[GenerateResponse | Failure]:
            return generator.generate([given[number] for number in batch])

        sizes = [Row(len(prompt.tokens), room=prompt.room) for prompt in given]
        together = generator.can_pad and not self._frequencies_change_after
        limit = self.limit if together else BatchLimit(rows=1)
        for number, response in Batches(sizes, run, limit, self.usage):
            if isinstance(response, GenerateResponse):
                self.usage.wrote(response.tokens - sizes[number].length)
            self.usage.asked_tokens += response.tokens
            yield indices[number], response

    def _generator(self) -> ContinuousGenerator | Generator:
        """Continuous batching where it is right, else transformers' own `generate`.

        Raises:
            IncompatibleError: the model's generation_config asks for a search of its own.
        """
        if self.generator is None:
            tokenizer = self.tokens.tokenizer
            if isinstance(self.scorer, TreeScorer):
                continuous = ContinuousGenerator(self.network, tokenizer, self.limit, self.usage)
                if continuous.is_right():
                    self.generator = continuous
            self.generator = self.generator or Generator(self.network, tokenizer)
        return self.generator


def _scored_response(
    request: Request, windows: Sequence[Window], scores: Sequence[Scored | Failure]
) -> Response:
    """What a score or rolling request is told, given the scores of its windows."""
    logprobs: list[float] = []
    for score in scores:
        if isinstance(score, Failure):
            return score
        logprobs += score.logprobs
    read = sum(len(window.tokens) for window in windows)
    total = sum(logprobs)
    if not math.isfinite(total):
        return Failure("error", f"non_finite: the log-probability is {total}", tokens=read)
    if isinstance(request, RollingRequest):
        return RollingResponse(total, tokens=len(logprobs))
    greedy = all(isinstance(score, Scored) and score.is_greedy for score in scores)
    return ScoreResponse(total, greedy, tuple(logprobs), tokens=read)


def _is_finite(score: Scored | Failure) -> bool:
    return isinstance(score, Failure) or all(map(math.isfinite, score.logprobs))
