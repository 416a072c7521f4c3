"""The backend for anything that gives one logit per choice: a network with a classification head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tianti.engine.batches import Batches, BatchLimit, Row, Usage
from tianti.engine.requests import ChooseRequest, ChooseResponse, Failure, Request, Response

if TYPE_CHECKING:
    import torch

Forward = Callable[[Sequence[Any]], "torch.Tensor"]
"""n texts, or pairs of texts → logits (n, labels)."""


class ClassifierBackend:
    """Answers `ChooseRequest`s by a log-softmax over the logits of `forward`.

    `forward` takes n texts and gives logits of shape (n, labels): it need not truncate, as texts
    of more than `max_length` tokens of `tokenizer`, special tokens included, are skipped with the reason. The choices
    of a request are the labels, in the order of the head. `facts` is what a run should record about the network.
    """

    request_types = frozenset({ChooseRequest})

    def __init__(
        self,
        forward: Forward,
        tokenizer: Any,
        *,
        max_length: int,
        batch: int | Literal["auto"] = "auto",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.forward = forward
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.batch = batch
        self.limit = BatchLimit() if batch == "auto" else BatchLimit(rows=batch)
        self.usage = Usage(limit=self.limit)
        self._facts = dict(facts or {})

    def prepare(self, requests: Sequence[Request]) -> None:
        """Requests have nothing in common that could be computed once."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked: dict[int, ChooseRequest] = {}
        for index, request in enumerate(requests):
            if isinstance(request, ChooseRequest):
                asked[index] = request
            else:
                yield index, Failure("skipped", f"a classifier cannot answer a {type(request).__name__}")
        with self.usage.timed():
            lengths = dict(
                zip(asked, self.count_tokens([_read(request) for request in asked.values()]), strict=True)
            )
        for index in [index for index, length in lengths.items() if length > self.max_length]:
            reason = f"text of {lengths[index]} tokens, the model reads {self.max_length}"
            yield index, Failure("skipped", reason, tokens=lengths[index])
            del asked[index]
        yield from self._choose(asked, lengths)

    def count_tokens(self, texts: Sequence[str | tuple[str, str]]) -> list[int]:
        if not texts:
            return []
        encoded = self.tokenizer(list(texts), return_attention_mask=False, verbose=False)["input_ids"]
        return [len(tokens) for tokens in encoded]

    def facts(self) -> Mapping[str, Any]:
        return {
            "backend": "classifier",
            **self._facts,
            "max_length": self.max_length,
            "batch": self.batch,
            **self.usage.facts(),
        }

    def _choose(
        self, asked: Mapping[int, ChooseRequest], lengths: Mapping[int, int]
    ) -> Iterator[tuple[int, Response]]:
        import torch

        texts = list(dict.fromkeys(_read(request) for request in asked.values()))
        askers: dict[str | tuple[str, str], list[int]] = {text: [] for text in texts}
        for index, request in asked.items():
            askers[_read(request)].append(index)

        def run(batch: Sequence[int]) -> list[list[float]]:
            with torch.inference_mode():
                logits = self.forward([texts[number] for number in batch])
                logprobs: list[list[float]] = logits.float().log_softmax(dim=-1).tolist()
            return logprobs

        sizes = [Row(lengths[askers[text][0]]) for text in texts]
        for number, result in Batches(sizes, run, self.limit, self.usage):
            for index in askers[texts[number]]:
                if isinstance(result, Failure):
                    yield index, result
                else:
                    yield index, _response(asked[index], result, lengths[index])


def _read(request: ChooseRequest) -> str | tuple[str, str]:
    """What is read: the two texts of a pair apart."""
    return request.pair or request.text


def _response(request: ChooseRequest, logprobs: Sequence[float], tokens: int) -> Response:
    if len(request.choices) != len(logprobs):
        reason = f"{len(request.choices)} choices, and the classifier has {len(logprobs)} labels"
        return Failure("skipped", reason, tokens=tokens)
    if not all(math.isfinite(logprob) for logprob in logprobs):
        return Failure("error", f"non_finite: the log-probabilities are {list(logprobs)}", tokens=tokens)
    return ChooseResponse(tuple(logprobs), tokens=tokens)
