"""What answers for a network that tags words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tianti.adapt.networks import TokenNetwork
from tianti.adapt.token_answering import TokenBackend
from tianti.adapt.token_rows import NOWHERE, first_tokens
from tianti.engine import Failure, Request, Response, TagRequest, TagResponse


class TagBackend(TokenBackend):
    """Answers tag requests with the most probable tags that can follow each other.

    A word that shares its first token with the word before goes on with what that word began; a word without a token
    is outside.
    """

    request_types = frozenset({TagRequest})

    def __init__(
        self, network: TokenNetwork, tokenizer: Any, labels: tuple[str, ...], batch: int | Literal["auto"]
    ) -> None:
        super().__init__(network, tokenizer, batch, facts={"tags": len(labels)})
        self.labels = labels

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked: dict[int, TagRequest] = {}
        for index, request in enumerate(requests):
            if isinstance(request, TagRequest) and request.labels == self.labels:
                asked[index] = request
            elif isinstance(request, TagRequest):
                yield index, Failure("skipped", f"labels {request.labels}, the head has {self.labels}")
            else:
                yield index, Failure("skipped", f"a tagger cannot answer a {type(request).__name__}")
        texts = self.reader.texts([request.text for request in asked.values()])
        order = list(asked.items())
        for place, result in self.outputs(texts):
            index, request = order[place]
            if isinstance(result, Failure):
                yield index, result
                continue
            tags = tag_words(result.logprobs, first_tokens(request.words, texts[place].offsets), self.labels)
            yield index, TagResponse(tags, tokens=result.tokens)

    def facts(self) -> Mapping[str, Any]:
        return {"backend": "tags", **super().facts()}


def tag_words(
    logprobs: NDArray[np.float64], places: NDArray[np.int64], labels: Sequence[str]
) -> tuple[str, ...]:
    """The tag of each word, from the log-probabilities [tokens, tags] and the number of each word's first token."""
    own = [
        number
        for number, place in enumerate(places)
        if place != NOWHERE and (number == 0 or place != places[number - 1])
    ]
    best = dict(zip(own, best_path(logprobs[places[own]], labels), strict=True))
    tags: list[str] = []
    for number, place in enumerate(places):
        if number in best:
            tags.append(labels[best[number]])
        elif place == NOWHERE:
            tags.append("O" if "O" in labels else labels[0])
        else:
            inside = "I-" + tags[-1][2:]
            tags.append(inside if inside in labels else tags[-1])
    return tuple(tags)


def best_path(logprobs: NDArray[np.float64], labels: Sequence[str]) -> list[int]:
    """The most probable sequence in which `I-type` stands only behind `B-type` or `I-type` (Viterbi 1967).

    `logprobs` is [words, labels]; gives the number of each word's label.
    """
    if not len(logprobs):
        return []
    allowed = np.array([[_follows(before, after) for after in labels] for before in labels])
    steps = np.where(allowed, 0.0, -np.inf)
    score = np.where([not label.startswith("I-") for label in labels], logprobs[0], -np.inf)
    back = []
    for row in logprobs[1:]:
        ways = score[:, None] + steps
        back.append(ways.argmax(axis=0))
        score = ways.max(axis=0) + row
    path = [int(score.argmax())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    return path[::-1]


def _follows(before: str, after: str) -> bool:
    return not after.startswith("I-") or (before[:2] in ("B-", "I-") and before[2:] == after[2:])
