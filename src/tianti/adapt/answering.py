"""What answers for a network with a head: by the labels of the task, or by the question's own choices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from tianti.adapt.fitting import join
from tianti.adapt.networks import PooledNetwork
from tianti.adapt.samples import Reader, pad
from tianti.engine import Backend, ChooseRequest, ChooseResponse, Failure, Request, Response
from tianti.engine.batches import Batches, BatchLimit, Row, Usage
from tianti.engine.classifier import ClassifierBackend


def label_backend(network: PooledNetwork, tokenizer: Any, batch: int | Literal["auto"]) -> Backend:
    """The backend of a network with one output per label."""
    reader = Reader(network, tokenizer)

    def forward(texts: Sequence[str | tuple[str, str]]) -> Tensor:
        logits: Tensor = network(*pad(reader.read(texts), reader.fill, network.head.weight.device))
        return logits

    facts = network_facts(network)
    return ClassifierBackend(forward, tokenizer, max_length=reader.max_length, batch=batch, facts=facts)


class ChoiceBackend:
    """Answers choose requests with a network of one output, which reads the text with each choice.

    The outputs go through a softmax over the choices. A request of which one such text is longer than the model reads
    is skipped.
    """

    request_types = frozenset({ChooseRequest})

    def __init__(self, network: PooledNetwork, tokenizer: Any, batch: int | Literal["auto"]) -> None:
        self.network = network
        self.reader = Reader(network, tokenizer, truncate=False)
        self.batch = batch
        self.limit = BatchLimit() if batch == "auto" else BatchLimit(rows=batch)
        self.usage = Usage(limit=self.limit)

    def prepare(self, requests: Sequence[Request]) -> None:
        """Requests have nothing in common that could be computed once."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked: dict[int, range] = {}
        rows: list[Any] = []
        for index, request in enumerate(requests):
            if not isinstance(request, ChooseRequest):
                reason = f"a scorer of choices cannot answer a {type(request).__name__}"
                yield index, Failure("skipped", reason)
                continue
            read = self.reader.read([join(request.text, choice) for choice in request.choices])
            longest = max(map(len, read))
            if longest > self.reader.max_length:
                reason = f"text of {longest} tokens, the model reads {self.reader.max_length}"
                yield index, Failure("skipped", reason, tokens=longest)
                continue
            asked[index] = range(len(rows), len(rows) + len(read))
            rows += read
        scores = self._scores(rows)
        for index, places in asked.items():
            tokens = sum(len(rows[place]) for place in places)
            yield index, _response([scores[place] for place in places], tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self.reader.read(texts)]

    def facts(self) -> Mapping[str, Any]:
        return {
            "backend": "choices",
            **network_facts(self.network),
            "max_length": self.reader.max_length,
            "batch": self.batch,
            **self.usage.facts(),
        }

    def _scores(self, rows: Sequence[Any]) -> dict[int, float | Failure]:
        """The network's output for each row."""

        def run(batch: Sequence[int]) -> list[float]:
            ids, mask = pad(
                [rows[index] for index in batch], self.reader.fill, self.network.head.weight.device
            )
            with torch.no_grad():
                outputs: list[float] = self.network(ids, mask)[:, 0].double().tolist()
            return outputs

        return dict(Batches([Row(len(row)) for row in rows], run, self.limit, self.usage))


def network_facts(network: PooledNetwork) -> dict[str, Any]:
    """What a run records about a network with a head."""
    parameter = next(network.body.parameters())
    return {
        "class": type(network.body).__name__,
        "pooling": "mean",
        "dtype": str(parameter.dtype).removeprefix("torch."),
        "device": str(parameter.device),
    }


def _response(outputs: Sequence[float | Failure], tokens: int) -> Response:
    scores: list[float] = []
    for output in outputs:
        if isinstance(output, Failure):
            return output
        scores.append(output)
    if not all(map(math.isfinite, scores)):
        return Failure("error", f"non_finite: the scores of the choices are {scores}", tokens=tokens)
    logprobs = torch.tensor(scores, dtype=torch.float64).log_softmax(dim=0)
    return ChooseResponse(tuple(logprobs.tolist()), tokens=tokens)
