"""Forms of examples, and default learning rates."""

from __future__ import annotations

from collections.abc import Callable
from operator import gt
from typing import Any

import pytest

from tianti.adapt.defaults import LEARNING_RATES, learning_rate
from tianti.adapt.fitting import form_of, join


@pytest.mark.parametrize("form", ["labels", "choices", "text"])
def test_forms(form: str, task: Callable[[str], Any]) -> None:
    stub = task(form)
    assert form_of(stub.train, stub.kind) == form


def test_same_letters_are_labels_unless_the_task_says_choices(task: Callable[[str], Any]) -> None:
    examples = task("labels").train
    assert form_of(examples, "harness/multiple_choice") == "labels"
    assert form_of(examples, "multiple-choice") == "choices"
    assert form_of([], "classification") == "text"


def test_question_and_choice_are_joined_as_the_language_does() -> None:
    assert join("Where is Anna?", "in the mill") == "Where is Anna? in the mill"
    assert join("安娜在哪里？", "磨坊") == "安娜在哪里？磨坊"


@pytest.mark.parametrize("method", LEARNING_RATES)
def test_rates_fall_with_size_and_fewer_parameters_take_more(method: str) -> None:
    rates = [learning_rate(method, size) for size in (10**5, 3 * 10**7, 10**8, 10**10)]
    assert rates == list(LEARNING_RATES[method]) == sorted(rates, reverse=True)
    assert method == "full" or all(map(gt, rates, LEARNING_RATES["full"]))
