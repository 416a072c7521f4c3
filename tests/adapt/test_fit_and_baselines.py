"""The fitted baselines: what they learn, what they answer, what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt import Fit
from tianti.adapt.baselines import BaselineBackend, MajorityClass, MajorityPlace, TfidfClass, fit_baseline
from tianti.core.exceptions import IncompatibleError, UnknownNameError
from tianti.core.progress import Silent
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    Failure,
    GenerateRequest,
    GenerateResponse,
    Response,
    ScoreRequest,
)
from tianti.models import load_model, open_model
from tianti.tasks.task import Example


def fitted(name: str, stub: Any) -> Any:
    model, adaptation = load_model(open_model(f"baseline:{name}")), Fit()
    adaptation.check(model, stub)
    return adaptation.adapt(model, stub, 0, Path("unused"), Silent())


def ask(backend: Any, *requests: Any) -> list[Response]:
    found = dict(backend.answer(requests))
    return [found[index] for index in range(len(requests))]


def accuracy(adapted: Any, stub: Any) -> float:
    questions = list(stub.questions(Fit().shots(0), adapted.backend.request_types))
    return float(np.mean([stub.grade(q, ask(adapted.backend, *q.requests)).values["acc"] for q in questions]))


def test_majority_answers_the_most_common_label(task: Callable[[str], Any]) -> None:
    stub = task("labels")
    adapted = fitted("majority", stub)
    labels = [example.label for example in stub.train]
    assert accuracy(adapted, stub) == max(labels.count(0), labels.count(1)) / len(labels)
    (response,) = ask(adapted.backend, ChooseRequest("any", ("wrong", "right")))
    expected = [(labels.count(label) + 1) / (len(labels) + 2) for label in (1, 0)]
    assert isinstance(response, ChooseResponse)
    assert np.exp(response.logprobs) == pytest.approx(expected)


def test_majority_answers_the_most_common_place(task: Callable[[str], Any]) -> None:
    stub = task("choices")
    stub.train = [example for example in stub.train if example.label == 2] + stub.train[:3]
    (response,) = ask(fitted("majority", stub).backend, ChooseRequest("any", ("a", "b", "c", "d")))
    assert isinstance(response, ChooseResponse)
    assert int(np.argmax(response.logprobs)) == 2


def test_majority_writes_the_most_common_answer(task: Callable[[str], Any]) -> None:
    stub = task("text")
    stub.train.append(stub.train[1])
    (response,) = ask(fitted("majority", stub).backend, GenerateRequest("any", ("\n",)))
    assert response == GenerateResponse(stub.train[1].continuation)


def test_tfidf_learns_words(task: Callable[[str], Any]) -> None:
    assert accuracy(fitted("tfidf", task("labels")), task("labels")) == 1.0
    stub = task("text")
    backend = fitted("tfidf", stub).backend
    for example in stub.train[:4]:
        assert ask(backend, GenerateRequest(example.context)) == [GenerateResponse(example.continuation)]


def test_tfidf_judges_choices_by_their_own_words() -> None:
    choices = ("surely yes", "maybe no", "never no")
    examples = [
        Example("", "", f"Question {number}?", "yes", choices[:: (1, -1)[number % 2]], (0, 2)[number % 2])
        for number in range(20)
    ]
    backend = fit_baseline("baseline:tfidf", "choices", examples, "en")
    first, second = ask(
        backend, ChooseRequest("Question?", ("no no", "yes")), ChooseRequest("Other?", ("yes", "no", "never"))
    )
    assert isinstance(first, ChooseResponse)
    assert isinstance(second, ChooseResponse)
    assert np.argmax(first.logprobs) == 1
    assert np.argmax(second.logprobs) == 0
    assert math.fsum(np.exp(second.logprobs)) == pytest.approx(1)


def test_chinese_is_read_by_characters() -> None:
    texts = ["这部电影很好看", "这家店很好", "这部电影很难看", "这家店很差"]
    rule = TfidfClass(texts, ("好评", "差评"), [0, 0, 1, 1], "zh")
    chosen = rule.choose(
        [ChooseRequest("菜很好", ("好评", "差评")), ChooseRequest("菜很差", ("好评", "差评"))]
    )
    assert [int(np.argmax(scores)) for scores in chosen] == [0, 1]
    assert "很好" in rule.features.vocabulary_


def test_one_class_alone() -> None:
    rule = TfidfClass(["a b", "c d"], ("x", "y"), [1, 1], "en")
    assert rule.parameters == 0
    assert rule.choose([ChooseRequest("a", ("x", "y"))])[0].argmax() == 1


@given(st.lists(st.integers(0, 3), min_size=1), st.permutations(["a", "b", "c", "d"]))
def test_probabilities_sum_to_one_and_follow_the_choices(labels: list[int], choices: list[str]) -> None:
    rule = MajorityClass(("a", "b", "c", "d"), labels)
    (response,) = ask(BaselineBackend("x", rule, ()), ChooseRequest("t", tuple(choices)))
    assert isinstance(response, ChooseResponse)
    assert math.fsum(np.exp(response.logprobs)) == pytest.approx(1)
    counts = [labels.count("abcd".index(choice)) for choice in choices]
    assert np.exp(response.logprobs) == pytest.approx([(n + 1) / (len(labels) + 4) for n in counts])


def test_answers_stop_where_a_model_would() -> None:
    rule = MajorityClass((" 42\n#### 42",), [0])
    backend = BaselineBackend("x", rule, (" 42\n#### 42",))
    assert ask(backend, GenerateRequest("q", ("\n",))) == [GenerateResponse(" 42")]


def test_what_it_was_not_fitted_for_is_no_answer() -> None:
    backend = BaselineBackend("baseline:majority", MajorityPlace([0]), ())
    assert backend.request_types == {ChooseRequest}
    assert backend.count_tokens(["a b", ""]) == [0, 0]
    assert backend.facts()["baseline"] == "baseline:majority"
    for request in (GenerateRequest("a"), ScoreRequest("a", "b")):
        (failure,) = ask(backend, request)
        assert isinstance(failure, Failure)


def test_what_does_not_fit(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    with pytest.raises(IncompatibleError, match="it is for baselines"):
        Fit().check(model("llama"), task("labels"))
    stub = task("labels")
    stub.train = []
    with pytest.raises(IncompatibleError, match="no training split"):
        fitted("majority", stub)
    with pytest.raises(UnknownNameError):
        fit_baseline("baseline:nothing", "labels", task("labels").train, "en")


def test_costs_are_counted(task: Callable[[str], Any]) -> None:
    cost = fitted("tfidf", task("labels")).cost
    assert cost.trainable_parameters == cost.total_parameters > 0
    assert cost.examples == len(task("labels").train)


def test_whole_texts_are_refused(task: Callable[[str], Any]) -> None:
    texts = task("text")
    texts.train = [replace(example, context="") for example in texts.train]
    with pytest.raises(IncompatibleError, match="measures whole texts"):
        fitted("tfidf", texts)
