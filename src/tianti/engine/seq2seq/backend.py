"""The backend for encoder–decoder models of transformers: T5, BART and their kin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from tianti.core.exceptions import IncompatibleError
from tianti.engine.backend import network_facts
from tianti.engine.batches import Batches, BatchLimit, Row, Usage, batch_limit
from tianti.engine.generation.writing import Prompt
from tianti.engine.requests import (
    Failure,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.scoring.logits import Scored
from tianti.engine.seq2seq.encoder_decoder import PairScorer, groups
from tianti.engine.seq2seq.generation import Seq2SeqGenerator
from tianti.engine.seq2seq.pairs import Pair, PairTokens
from tianti.engine.tokens import text_length


class Seq2SeqBackend:
    """Answers score and generation requests with the numbers of lm-evaluation-harness's HF backend for such models.

    The encoder reads the context, the decoder is scored on the continuation or writes it. The network is put into
    evaluation mode, and moved when `device` is given; nothing else about it changes. `batch` is a number of contexts,
    or `auto`: as many as fit a token budget that halves when memory runs out.
    """

    request_types = frozenset({ScoreRequest, GenerateRequest})

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
        self.tokens = PairTokens(
            tokenizer,
            text_length(network, tokenizer),
            vocabulary,
            getattr(network.config, "max_position_embeddings", None),
        )
        self.tokenizer = tokenizer
        self.batch = batch
        self.limit = batch_limit(network, batch, vocabulary)
        self.usage = Usage(limit=self.limit)
        self.scorer = PairScorer(self.network, lambda: self.usage.limit.cached)
        self.generator: Seq2SeqGenerator | None = None

    def prepare(self, requests: Sequence[Request]) -> None:
        """Nothing is kept between calls: contexts are encoded when they are asked about."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        self.network.eval()
        with self.usage.timed():
            asked = self._read(requests)
        pairs: dict[int, Pair] = {}
        prompts: dict[int, Prompt] = {}
        for index, what in asked.items():
            match what:
                case Failure():
                    yield index, what
                case Prompt():
                    prompts[index] = what
                case Pair():
                    pairs[index] = what
        yield from self._score(pairs)
        yield from self._generate(prompts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.tokens.count(texts)

    def facts(self) -> Mapping[str, Any]:
        return {
            "backend": "seq2seq",
            **network_facts(self.network),
            "max_length": self.tokens.max_length,
            "contexts": self.scorer.path,
            "batch": self.batch,
            **self.usage.facts(),
        }

    def _read(self, requests: Sequence[Request]) -> dict[int, Pair | Prompt | Failure]:
        """The tokens of each request, or why there are none."""
        asked: dict[int, Pair | Prompt | Failure] = {}
        score: dict[int, ScoreRequest] = {}
        generate: dict[int, GenerateRequest] = {}
        for index, request in enumerate(requests):
            match request:
                case ScoreRequest():
                    score[index] = request
                case GenerateRequest():
                    generate[index] = request
                case _:
                    asked[index] = Failure("skipped", _refusal(request))
        asked.update(zip(score, self.tokens.pairs(list(score.values())), strict=True))
        for index, tokens in zip(generate, self.tokens.prompts(list(generate.values())), strict=True):
            asked[index] = tokens if isinstance(tokens, Failure) else Prompt(generate[index], tokens)
        return asked

    def _score(self, asked: Mapping[int, Pair]) -> Iterator[tuple[int, Response]]:
        indices, pairs = list(asked), list(asked.values())
        self.usage.asked_tokens += sum(len(pair.context) + len(pair.continuation) for pair in pairs)
        found = groups(pairs)

        def run(batch: Sequence[int]) -> list[list[Scored]]:
            return self.scorer.score(pairs, [found[number] for number in batch])

        sizes = [
            Row(len(group.context), sum(len(pairs[number].continuation) for number in group.pairs))
            for group in found
        ]
        for number, result in Batches(sizes, run, self.limit, self.usage):
            for position, pair in enumerate(found[number].pairs):
                scored = result if isinstance(result, Failure) else result[position]
                yield indices[pair], _response(pairs[pair], scored)

    def _generate(self, asked: Mapping[int, Prompt]) -> Iterator[tuple[int, Response]]:
        if not asked:
            return
        try:
            self.generator = self.generator or Seq2SeqGenerator(self.network, self.tokenizer)
        except IncompatibleError as error:
            yield from ((index, Failure("skipped", error.message)) for index in asked)
            return
        generator = self.generator
        # Equal contexts side by side, so that they fall into the same batch.
        indices = sorted(asked, key=lambda index: asked[index].tokens.tobytes())
        prompts = [asked[index] for index in indices]

        def run(batch: Sequence[int]) -> list[GenerateResponse | Failure]:
            return generator.generate([prompts[number] for number in batch])

        sizes = [Row(len(prompt.tokens), room=prompt.request.max_tokens) for prompt in prompts]
        limit = self.limit if generator.can_pad else BatchLimit(rows=1)
        for number, response in Batches(sizes, run, limit, self.usage):
            if isinstance(response, GenerateResponse):
                self.usage.wrote(response.tokens - sizes[number].length)
            self.usage.asked_tokens += response.tokens
            yield indices[number], response


def _refusal(request: Request) -> str:
    if isinstance(request, RollingRequest):
        return "an encoder–decoder model gives no probability of a whole text, only of an answer to a context"
    return f"an encoder–decoder model cannot answer a {type(request).__name__}"


def _response(pair: Pair, scored: Scored | Failure) -> Response:
    if isinstance(scored, Failure):
        return scored
    read, total = len(pair.context) + len(pair.continuation), sum(scored.logprobs)
    if not math.isfinite(total):
        return Failure("error", f"non_finite: the log-probability is {total}", tokens=read)
    return ScoreResponse(total, scored.is_greedy, tuple(scored.logprobs), tokens=read)
