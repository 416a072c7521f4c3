"""The classical baselines of tags and spans.

Tags. `baseline:majority`: each word's most common tag in training, and the most common of all for a word that was not
seen. `baseline:tfidf`: logistic regression over TF-IDF features of the word, its letters and its neighbours.

Spans, as many words as answers have in training (median). `baseline:majority`: the first words of the passage.
`baseline:tfidf`: the words with most of the question around and least of it in them, where rare words count most.

The last is a sliding window as in Richardson et al. 2013, "MCTest", which was the first baseline of SQuAD too.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from tianti.engine import Failure, Request, Response, SpanRequest, SpanResponse, TagRequest, TagResponse
from tianti.tasks.task import Example

AROUND = 10
"""Words on each side of a span that are compared with the question."""

# A Han character or one of a Japanese syllabary is a word of its own, as in `tasks/metrics.py`.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)


class TokenRule(Protocol):
    """What was learned from the training split."""

    asks: ClassVar[type]
    """The kind of request that it answers."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        ...

    def answer(self, requests: Sequence[Any]) -> Sequence[Response]:
        """The responses to requests of that kind, in their order."""
        ...


class TokenBaseline:
    """Answers by a rule."""

    def __init__(self, name: str, rule: TokenRule) -> None:
        self.name = name
        self.rule = rule

    @property
    def parameters(self) -> int:
        return self.rule.parameters

    @property
    def request_types(self) -> frozenset[type]:
        return frozenset({self.rule.asks})

    def prepare(self, requests: Sequence[Request]) -> None:
        """Requests have nothing in common that could be computed once."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked = {index: each for index, each in enumerate(requests) if isinstance(each, self.rule.asks)}
        for index, request in enumerate(requests):
            if index not in asked:
                yield index, Failure("error", f"{self.name} was not fitted for a {type(request).__name__}")
        if asked:
            yield from zip(asked, self.rule.answer(list(asked.values())), strict=True)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A baseline reads no tokens; its texts count as none."""
        return [0 for _ in texts]

    def facts(self) -> Mapping[str, Any]:
        return {"backend": "baseline", "baseline": self.name}


class CommonTag:
    """Each word's most common tag."""

    asks: ClassVar[type] = TagRequest

    def __init__(self, examples: Sequence[Example]) -> None:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for example in examples:
            for word, tag in zip(_words(example.text, example.words), example.tags, strict=True):
                counts[word][tag] += 1
        self.tags = {word: _most_common(found) for word, found in counts.items()}
        self.other = _most_common(Counter(tag for example in examples for tag in example.tags))

    @property
    def parameters(self) -> int:
        return len(self.tags)

    def answer(self, requests: Sequence[TagRequest]) -> list[Response]:
        return [
            TagResponse(tuple(self.tags.get(word, self.other) for word in _words(each.text, each.words)))
            for each in requests
        ]


class TfidfTag:
    """Multinomial logistic regression over the word, its first and last letters, its shape and its neighbours."""

    asks: ClassVar[type] = TagRequest

    def __init__(self, examples: Sequence[Example]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        self.features = TfidfVectorizer(analyzer=list, sublinear_tf=True)
        rows = [row for each in examples for row in _word_features(_words(each.text, each.words))]
        tags = [tag for each in examples for tag in each.tags]
        self.only = tags[0] if len(set(tags)) == 1 else ""
        self.regression = LogisticRegression(C=10.0, max_iter=200, tol=1e-3)
        matrix = self.features.fit_transform(rows)
        if not self.only:
            self.regression.fit(matrix, tags)

    @property
    def parameters(self) -> int:
        return 0 if self.only else int(self.regression.coef_.size + self.regression.intercept_.size)

    def answer(self, requests: Sequence[TagRequest]) -> list[Response]:
        rows = [_word_features(_words(each.text, each.words)) for each in requests]
        flat = [row for group in rows for row in group]
        if self.only or not flat:
            return [TagResponse((self.only,) * len(group)) for group in rows]
        tags = iter(self.regression.predict(self.features.transform(flat)))
        return [TagResponse(tuple(str(next(tags)) for _ in group)) for group in rows]


class FirstWords:
    """The first words of the passage."""

    asks: ClassVar[type] = SpanRequest

    def __init__(self, examples: Sequence[Example]) -> None:
        lengths = [len(_places(example.target)) for example in examples]
        self.length = max(1, round(statistics.median(lengths)))

    @property
    def parameters(self) -> int:
        return 1

    def answer(self, requests: Sequence[SpanRequest]) -> list[Response]:
        return [self._response(request) for request in requests]

    def _response(self, request: SpanRequest) -> Response:
        places = _places(request.passage)
        if not places:
            return Failure("skipped", "the passage has no word")
        first = min(self._first(request, places), len(places) - 1)
        start, end = places[first][0], places[min(first + self.length, len(places)) - 1][1]
        return SpanResponse(request.passage[start:end], start, end, 0.0)

    def _first(self, request: SpanRequest, places: Sequence[tuple[int, int]]) -> int:
        """The number of the span's first word."""
        return 0


class NearQuestion(FirstWords):
    """The words with most of the question around them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        super().__init__(examples)
        passages = {example.passage for example in examples}
        counts = Counter(word for passage in passages for word in {*_lower(passage, _places(passage))})
        self.rarity = {word: float(np.log((1 + len(passages)) / (1 + n))) for word, n in counts.items()}
        self.unseen = float(np.log(1 + len(passages)))

    @property
    def parameters(self) -> int:
        return 1 + len(self.rarity)

    def _first(self, request: SpanRequest, places: Sequence[tuple[int, int]]) -> int:
        asked = {*_lower(request.question, _places(request.question))}
        words = _lower(request.passage, places)
        weights = np.array([self.rarity.get(word, self.unseen) if word in asked else 0.0 for word in words])
        sums = np.concatenate(([0.0], np.cumsum(weights)))
        best, first = -np.inf, 0
        for place in range(max(1, len(words) - self.length + 1)):
            end = min(place + self.length, len(words))
            around = sums[min(end + AROUND, len(words))] - sums[max(place - AROUND, 0)]
            inside = sums[end] - sums[place]
            if around - 2 * inside > best:
                best, first = around - 2 * inside, place
        return first


def _words(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in places]


def _places(text: str) -> list[tuple[int, int]]:
    """The characters of each word of a text."""
    return [match.span() for match in _WORD.finditer(text)]


def _lower(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    return [word.lower() for word in _words(text, places)]


def _most_common(counts: Counter[str]) -> str:
    """The most frequent tag; the first in the alphabet of equals."""
    return min(counts, key=lambda tag: (-counts[tag], tag))


def _word_features(words: Sequence[str]) -> list[list[str]]:
    """What is known of each word, as marks."""
    lower = ["^", *(word.lower() for word in words), "$"]
    return [
        [
            f"word {lower[place]}",
            f"before {lower[place - 1]}",
            f"after {lower[place + 1]}",
            f"begins {lower[place][:3]}",
            f"ends {lower[place][-3:]}",
            f"shape {_shape(word)}",
            f"shape before {_shape(words[place - 2]) if place > 1 else '^'}",
        ]
        for place, word in enumerate(words, 1)
    ]


def _shape(word: str) -> str:
    """`McCoy-7` → `XxXx-0`: runs of one sort of character are one mark."""
    marks = re.sub(r"[^\W\d_]", lambda match: "X" if match[0].isupper() else "x", re.sub(r"\d", "0", word))
    return re.sub(r"(.)\1+", r"\1", marks)
