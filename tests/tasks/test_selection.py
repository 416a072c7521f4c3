"""Which solved examples stand before a question."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.core.exceptions import IncompatibleError
from tianti.tasks import load_tasks
from tianti.tasks.kinds.kind import Form, Sample
from tianti.tasks.selection import ShotPool, terms
from tianti.tasks.task import Shots

texts = st.lists(st.sampled_from(["red", "blue", "tea", "house", "a"]), min_size=1, max_size=5).map(" ".join)


def sample(
    name: object, text: str, label: int | None = 0, choices: tuple[str, ...] = ("bad", "good")
) -> Sample:
    form = Form(("x",)) if label is None else Form((choices[label],), choices, label)
    return Sample(str(name), text, form, text, "", "", {})


def pool(*samples: Sample) -> ShotPool:
    return ShotPool(samples, "task", "task", "train")


def bm25(question: list[str], documents: list[list[str]]) -> np.ndarray:
    """Σ idf · tf / (tf + k1 (1 − b + b length / mean length)), written out."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for term in question:
            holding = sum(term in other for other in documents)
            if holding:
                times = document.count(term)
                idf = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
                score += idf * times / (times + 1.5 * (0.25 + 0.75 * len(document) / mean))
        scores.append(score)
    return np.array(scores)


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=3, max_size=8, unique=True), texts, st.integers(1, 2))
def test_similar_examples_are_those_of_the_highest_bm25_and_the_nearest_stands_last(known, text, k):
    samples = [sample(index, each) for index, each in enumerate(known)]
    chosen = pool(*samples).choose(sample("q", text), Shots(k, "similar"))
    scores = dict(zip(known, bm25(terms(text), [terms(each) for each in known]), strict=True))
    scores.pop(text, None)
    found = [scores[each.text] for each in chosen]
    assert found == sorted(found)
    assert np.allclose(found[::-1], sorted(scores.values(), reverse=True)[:k], atol=1e-5)


def test_terms_of_both_languages():
    assert terms("Tea, at Mira's House!") == ["tea", "at", "mira", "s", "house"]
    assert terms("好喝的茶 v2！") == ["好", "喝", "的", "茶", "好喝", "喝的", "的茶", "v2"]
    assert terms("…") == []


def test_a_question_without_a_known_term_takes_the_first_of_the_split():
    samples = [sample(index, text) for index, text in enumerate(["a b", "c d", "e f"])]
    assert [each.id for each in pool(*samples).choose(sample("q", "z"), Shots(2, "similar"))] == ["1", "0"]


@given(st.integers(1, 9), st.integers(0, 5))
def test_balanced_shots_have_labels_equally_often(k, seed):
    choices = ("bad", "fair", "good")
    samples = [sample(n, f"text {n}", n % 3 if n < 12 else 0, choices) for n in range(60)]
    question = sample("q", "text 0", 0, choices)
    chosen = pool(*samples).choose(question, Shots(k, "balanced", seed))
    counts = Counter(each.target for each in chosen)
    assert len({each.id for each in chosen}) == k
    assert max(counts.values()) - min(counts[label] for label in choices) <= 1
    assert all(each.text != question.text for each in chosen)
    assert chosen == pool(*samples).choose(question, Shots(k, "balanced", seed))


def test_balanced_shots_are_drawn_by_seed_and_their_order_too():
    samples = [sample(n, f"text {n}", n % 2) for n in range(40)]
    by_seed = [pool(*samples).choose(sample("q", "?"), Shots(4, "balanced", seed)) for seed in range(20)]
    assert len({tuple(each.id for each in chosen) for chosen in by_seed}) > 15
    assert (
        len({tuple(each.target for each in chosen) for chosen in by_seed}) == 6
    )  # all orders of two and two


@pytest.mark.parametrize("label", [None, 0])
def test_balanced_is_refused_without_one_set_of_labels(label):
    samples = [sample(n, f"{n}", label, (f"{n}", "other")) for n in range(4)]
    with pytest.raises(IncompatibleError, match="one set of labels"):
        pool(*samples).choose(sample("q", "?"), Shots(2, "balanced"))


def test_a_label_with_too_few_examples_is_named():
    samples = [sample(n, f"{n}", int(n == 0)) for n in range(9)]
    with pytest.raises(IncompatibleError, match="needs 2 examples of 'good', split 'train' has 1"):
        pool(*samples).choose(sample("q", "?"), Shots(4, "balanced"))


def test_the_nearest_by_cosine_stands_last():
    points = {"q": [1, 0], "a": [3, 1], "b": [0, 1], "c": [9, 1], "d": [-1, 0]}
    asked: list[int] = []

    def encode(given: Any) -> np.ndarray:
        asked.append(len(given))
        return np.array([points[text] for text in given], dtype=float)

    chooser = pool(*(sample(name, name) for name in "qabcd"))
    shots = Shots(2, "embedding", encode=encode)
    assert [each.id for each in chooser.choose(sample("q", "q"), shots)] == ["a", "c"]  # never its own text
    assert [each.id for each in chooser.choose(sample("z", "b"), shots)] == ["c", "a"]
    assert asked == [5, 1, 1]  # the pool is read once


def test_embedding_without_a_model_is_refused():
    with pytest.raises(IncompatibleError, match="needs a model"):
        pool(sample(0, "a")).choose(sample("q", "?"), Shots(1, "embedding"))


@pytest.mark.parametrize("name", ["nano/sentiment", "nano/qa-zh"])
def test_similar_examples_of_the_library_share_more_than_drawn_ones(name):
    (task,) = load_tasks(name)
    shared = {}
    for selection in ("similar", "random"):
        shots = Shots(4, selection)  # type: ignore[arg-type]
        pairs = [
            (each, shot)
            for each in task.samples("test")[:20]
            for shot in task.asker.choose_shots(each, shots)
        ]
        shared[selection] = np.mean([len({*terms(a.text)} & {*terms(b.text)}) for a, b in pairs])
    assert shared["similar"] > shared["random"]
