"""What answers for a network with a head: a label of the task, or one of the question's own choices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch

from tianti.adapt.networks import PooledNetwork
from tianti.adapt.samples import Reader, pad, texts_of
from tianti.engine import ChooseRequest, ChooseResponse, Failure, Request, Response
from tianti.engine.batches import Batches, Row, Usage, batch_limit
from tianti.engine.tokens import Tokens


class HeadBackend:
    """Answers choose requests with a `PooledNetwork`.

    With `labels` the network has one output per label and reads the text; without, it has one output and reads the
    text with each choice. Either way the scores go through a softmax over the choices that were asked.
    """

    request_types = frozenset({ChooseRequest})

    def __init__(
        self,
        network: PooledNetwork,
        tokenizer: Any,
        labels: Sequence[str] | None,
        *,
        batch: int | Literal["auto"] = "auto",
    ) -> None:
        self.network = network
        self.reader = Reader(network, tokenizer)
        self.labels = None if labels is None else {label: place for place, label in enumerate(labels)}
        self.batch = batch
        self.limit = batch_limit(network, batch, network.head.out_features)
        self.usage = Usage(limit=self.limit)

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked: dict[int, ChooseRequest] = {}
        for index, request in enumerate(requests):
            reason = self._refusal(request)
            if isinstance(request, ChooseRequest) and not reason:
                asked[index] = request
            else:
                yield index, Failure("skipped", reason)
        texts = [texts_of(r.text, r.choices, self._form) for r in asked.values()]
        rows = self.reader.read([text for group in texts for text in group])
        scores = self._scores(rows)
        start = 0
        for (index, request), group in zip(asked.items(), texts, strict=True):
            end = start + len(group)
            tokens = sum(len(row) for row in rows[start:end])
            yield index, self._response(request, scores[start:end], tokens)
            start = end

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self.reader.read(texts)]

    def facts(self) -> Mapping[str, Any]:
        parameter = next(self.network.body.parameters())
        return {
            "backend": "head",
            "class": type(self.network.body).__name__,
            "pooling": self.network.pooling,
            "dtype": str(parameter.dtype).removeprefix("torch."),
            "device": str(parameter.device),
            "max_length": self.reader.max_length,
            "batch": self.batch,
            **self.usage.facts(),
        }

    @property
    def _form(self) -> Literal["labels", "choices"]:
        return "choices" if self.labels is None else "labels"

    def _refusal(self, request: Request) -> str:
        """Why a request cannot be answered; empty when it can."""
        if not isinstance(request, ChooseRequest):
            return f"a classification head cannot answer a {type(request).__name__}"
        unknown = [
            choice for choice in request.choices if self.labels is not None and choice not in self.labels
        ]
        return f"the label {unknown[0]!r} was not learned" if unknown else ""

    def _scores(self, rows: Sequence[Tokens]) -> list[list[float] | Failure]:
        """The network's outputs for each row, in the order of the rows."""

        def run(batch: Sequence[int]) -> list[list[float]]:
            ids, mask = pad(
                [rows[index] for index in batch], self.reader.fill, self.network.head.weight.device
            )
            with torch.no_grad():
                logits: list[list[float]] = self.network(ids, mask).double().tolist()
            return logits

        self.network.train(False)
        found = dict(Batches([Row(len(row)) for row in rows], run, self.limit, self.usage))
        return [found[index] for index in range(len(rows))]

    def _response(
        self, request: ChooseRequest, rows: Sequence[list[float] | Failure], tokens: int
    ) -> Response:
        scores: list[float] = []
        for row in rows:
            if isinstance(row, Failure):
                return row
            scores += row if self.labels is None else [row[self.labels[choice]] for choice in request.choices]
        if not all(math.isfinite(score) for score in scores):
            return Failure("error", f"non_finite: the head's scores are {scores}", tokens=tokens)
        logprobs = torch.log_softmax(torch.tensor(scores, dtype=torch.float64), dim=0)
        return ChooseResponse(tuple(logprobs.tolist()), tokens=tokens)
