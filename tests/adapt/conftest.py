"""Small tasks of each form, and models in memory, for the tests of adaptations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stub_task import StubTask
from tianti.models import LoadedModel, from_objects
from tianti.tasks.task import Example
from tiny import tiny_bart, tiny_bert, tiny_gpt2, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer

NAMES = ("Anna", "Ben", "Carla", "Dan", "Eva", "Finn")
GOOD, BAD = ("wonderful", "warm", "funny"), ("dull", "cold", "much too long")
PLACES = {"Anna": "mill", "Ben": "shop", "Carla": "town", "Dan": "river"}


def sentiment() -> StubTask:
    """Labels: 36 reviews of one word that decides."""
    examples = [
        Example(
            f"{name} says: this film is {word}. It is", f" {('right', 'wrong')[label]}",
            f"{name} says: this film is {word}.", ("right", "wrong")[label], ("right", "wrong"), label,
        )
        for label, words in enumerate((GOOD, BAD)) for word in words for name in NAMES
    ]  # fmt: skip
    return StubTask(examples[::2] + examples[1::4], examples[3::4], name="stub/sentiment")


def commonsense() -> StubTask:
    """Choices: the place of each person, in changing order."""
    examples = []
    for index in range(24):
        name = list(PLACES)[index % 4]
        wrong = [place for place in PLACES.values() if place != PLACES[name]]
        place = index % 3
        choices = (*wrong[:place], PLACES[name], *wrong[place:])[:3]
        if PLACES[name] not in choices:
            continue
        text = f"Where does {name} work?"
        examples.append(
            Example(
                f"Question: {text} Answer:",
                f" {PLACES[name]}",
                text,
                PLACES[name],
                choices,
                choices.index(PLACES[name]),
            )
        )
    return StubTask(examples, examples[::4], "multiple-choice", "stub/commonsense")


def answers() -> StubTask:
    """Free text: the same questions without choices."""
    examples = [
        Example(f"Question: Where does {name} work? Answer:", f" {place}", f"Where does {name} work?", place)
        for name, place in list(PLACES.items()) * 5
    ]
    return StubTask(examples, examples[:4], "question-answering", "stub/answers")


TASKS: dict[str, Callable[[], StubTask]] = {"labels": sentiment, "choices": commonsense, "text": answers}
NETWORKS: dict[str, Callable[..., Any]] = {
    "llama": tiny_llama,
    "gpt2": tiny_gpt2,
    "bert": tiny_bert,
    "t5": tiny_t5,
    "bart": tiny_bart,
    "masked": tiny_masked,
}


@pytest.fixture
def task() -> Callable[[str], StubTask]:
    """form → a task of that form."""
    return lambda form: TASKS[form]()


@pytest.fixture
def model() -> Callable[[str], LoadedModel]:
    """llama, gpt2, bert, t5, bart or masked → a tiny model of that architecture in memory."""
    return lambda name: from_objects(NETWORKS[name](), tiny_tokenizer(), f"tiny-{name}")
