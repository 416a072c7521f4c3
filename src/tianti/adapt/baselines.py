"""The classical baselines: what a model must beat to be worth its weights.

A baseline is a rule that gives log-probabilities over choices, learned from examples; `BaselineBackend` answers
requests with it. A generation is answered with the likeliest answer text of the training split.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from tianti.adapt.fitting import Form, join
from tianti.adapt.token_baselines import (
    CommonTag,
    FirstWords,
    NearQuestion,
    TfidfTag,
    TokenBaseline,
    TokenRule,
)
from tianti.core.exceptions import UnknownNameError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    Failure,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
)
from tianti.tasks.task import Example
from tianti.tasks.text_classifier import logistic_regression, text_features

Floats = NDArray[np.float64]


class Rule(Protocol):
    """What was learned from the training split."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        ...

    def choose(self, requests: Sequence[ChooseRequest]) -> list[Floats]:
        """For each request unnormalised log-probabilities over its choices."""
        ...


class BaselineBackend:
    """Answers by a rule: choices by their probability, generations by choosing among the answers seen in training."""

    def __init__(self, name: str, rule: Rule, answers: tuple[str, ...]) -> None:
        self.name = name
        self.rule = rule
        self.answers = answers
        """The answer texts of the training split; empty where the task is one of choices."""

    @property
    def parameters(self) -> int:
        return self.rule.parameters

    @property
    def request_types(self) -> frozenset[type]:
        return frozenset({GenerateRequest if self.answers else ChooseRequest})

    def prepare(self, requests: Sequence[Request]) -> None:
        """Requests have nothing in common that could be computed once."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        asked: dict[int, ChooseRequest] = {}
        for index, request in enumerate(requests):
            if isinstance(request, GenerateRequest) and self.answers:
                asked[index] = ChooseRequest(request.context, self.answers)
            elif isinstance(request, ChooseRequest) and not self.answers:
                asked[index] = request
            else:
                yield index, Failure("error", f"{self.name} was not fitted for a {type(request).__name__}")
        if asked:
            for index, scores in zip(asked, self.rule.choose(list(asked.values())), strict=True):
                yield index, self._response(requests[index], scores)

    def _response(self, request: Request, scores: Floats) -> Response:
        if isinstance(request, GenerateRequest):
            return GenerateResponse(_cut(self.answers[int(np.argmax(scores))], request.stop))
        return ChooseResponse(tuple(log_softmax(scores).tolist()))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A baseline reads no tokens; its texts count as none."""
        return [0 for _ in texts]

    def facts(self) -> Mapping[str, Any]:
        return {"backend": "baseline", "baseline": self.name, "answers": len(self.answers)}


def fit_baseline(
    name: str, form: Form, examples: Sequence[Example], language: str
) -> BaselineBackend | TokenBaseline:
    """Fit the baseline `baseline:majority` or `baseline:tfidf` on the examples."""
    if name.removeprefix("baseline:") not in ("majority", "tfidf"):
        raise UnknownNameError("baseline", name, ["baseline:majority", "baseline:tfidf"])
    if form in ("tags", "span"):
        rules: dict[tuple[str, str], Callable[[Sequence[Example]], TokenRule]] = {
            ("baseline:majority", "tags"): CommonTag,
            ("baseline:tfidf", "tags"): TfidfTag,
            ("baseline:majority", "span"): FirstWords,
            ("baseline:tfidf", "span"): NearQuestion,
        }
        return TokenBaseline(name, rules[f"baseline:{name.removeprefix('baseline:')}", form](examples))
    if form == "text":
        # A generation is a choice among all answers of the training split.
        answers = tuple(sorted({example.continuation for example in examples}))
        place = {answer: index for index, answer in enumerate(answers)}
        texts = [example.context for example in examples]
        labels = [place[example.continuation] for example in examples]
        classes = answers
    else:
        answers, classes = (), examples[0].choices
        texts = [example.text for example in examples]
        labels = [example.label for example in examples if example.label is not None]
    rule: Rule
    match name.removeprefix("baseline:"):
        case "majority" if form == "choices":
            rule = MajorityPlace(labels)
        case "majority":
            rule = MajorityClass(classes, labels)
        case "tfidf" if form == "choices":
            rule = TfidfChoice(examples, language)
        case _:
            rule = TfidfClass(texts, classes, labels, language)
    return BaselineBackend(name, rule, answers)


class MajorityClass:
    """Each class with its frequency in training, one added to each count (Laplace's rule)."""

    def __init__(self, classes: Sequence[str], labels: Sequence[int]) -> None:
        counts = Counter(labels)
        self.scores = {text: float(np.log(counts[index] + 1)) for index, text in enumerate(classes)}

    @property
    def parameters(self) -> int:
        return len(self.scores)

    def choose(self, requests: Sequence[ChooseRequest]) -> list[Floats]:
        return [
            np.array([self.scores.get(choice, 0.0) for choice in request.choices]) for request in requests
        ]


class MajorityPlace:
    """Each place among the choices with the frequency of the right choice there, one added to each count."""

    def __init__(self, labels: Sequence[int]) -> None:
        self.counts = Counter(labels)

    @property
    def parameters(self) -> int:
        return len(self.counts)

    def choose(self, requests: Sequence[ChooseRequest]) -> list[Floats]:
        return [np.log([self.counts[place] + 1.0 for place in range(len(r.choices))]) for r in requests]


class TfidfClass:
    """Multinomial logistic regression over TF-IDF features of the text."""

    def __init__(
        self, texts: Sequence[str], classes: Sequence[str], labels: Sequence[int], language: str
    ) -> None:
        self.features = text_features(language)
        matrix = self.features.fit_transform(texts)
        seen = sorted(set(labels))
        self.names = [classes[label] for label in seen]
        """The classes with an example; the others get the lowest score of a text."""
        self.regression = logistic_regression() if len(seen) > 1 else None
        if self.regression is not None:
            with warnings.catch_warnings():
                # Answers in free text are nearly as many as examples; scikit-learn takes that for a mistake.
                warnings.filterwarnings("ignore", message="The number of unique classes")
                self.regression.fit(matrix, labels)

    @property
    def parameters(self) -> int:
        if self.regression is None:
            return 0
        return int(self.regression.coef_.size + self.regression.intercept_.size)

    def choose(self, requests: Sequence[ChooseRequest]) -> list[Floats]:
        if self.regression is None:
            return [np.array([float(c == self.names[0]) for c in request.choices]) for request in requests]
        matrix = self.features.transform([request.text for request in requests])
        found = []
        for request, row in zip(requests, self.regression.predict_log_proba(matrix), strict=True):
            scores = dict(zip(self.names, row, strict=True))
            found.append(np.array([scores.get(choice, row.min()) for choice in request.choices]))
        return found


class TfidfChoice:
    """Logistic regression that tells right from wrong choices over TF-IDF features of question and choice."""

    def __init__(self, examples: Sequence[Example], language: str) -> None:
        pairs = [
            (join(example.text, choice), place == example.label)
            for example in examples
            for place, choice in enumerate(example.choices)
        ]
        self.features = text_features(language)
        matrix = self.features.fit_transform([text for text, _ in pairs])
        self.regression = logistic_regression()
        self.regression.fit(matrix, [right for _, right in pairs])

    @property
    def parameters(self) -> int:
        return int(self.regression.coef_.size + self.regression.intercept_.size)

    def choose(self, requests: Sequence[ChooseRequest]) -> list[Floats]:
        texts = [join(request.text, choice) for request in requests for choice in request.choices]
        scores = self.regression.decision_function(self.features.transform(texts))
        ends = np.cumsum([len(request.choices) for request in requests])
        return list(np.split(scores, ends[:-1]))


def _cut(text: str, stops: Sequence[str]) -> str:
    """`text` before the first of the stop strings."""
    ends = [text.find(stop) for stop in stops if stop and stop in text]
    return text[: min(ends)] if ends else text
