from dataclasses import replace

import numpy as np
import pytest

from tianti.adapt import parse_adaptation
from tianti.evaluation.answer import Answer
from tianti.evaluation.contamination import contamination_facts, inflation
from tianti.evaluation.score import score_answers
from tianti.tasks import load_tasks
from tianti.tasks.task import Metric

ACC = Metric("acc", aggregate=np.mean, chance=0.5)


def _answer(index: int, value: float, **changes) -> Answer:
    usual = Answer(str(index), 0, "ok", f"question {index}", "yes", values={"acc": value}, position=index)
    return replace(usual, **changes)


def test_inflation_is_the_score_on_all_minus_that_on_the_clean():
    answers = [_answer(index, float(index < 40 or index % 2)) for index in range(140)]
    found = inflation(ACC, answers, frozenset(map(str, range(40))))
    assert found["all"] == pytest.approx(90 / 140)
    assert found["clean"] == pytest.approx(0.5)
    assert found["estimate"] == pytest.approx(found["all"] - found["clean"])
    assert 0 < found["least"] < found["estimate"]
    assert (found["n_first"], found["n_second"], found["family"]) == (40, 100, 1)


def test_lower_is_better_turns_the_sign():
    answers = [_answer(index, float(index < 10)) for index in range(100)]
    seen = frozenset(map(str, range(50, 100)))
    error = replace(ACC, higher_is_better=False)
    assert inflation(error, answers, seen)["estimate"] == pytest.approx(0.1)
    assert inflation(ACC, answers, seen)["estimate"] == pytest.approx(-0.1)


def test_repeats_are_averaged_and_clusters_are_counted():
    answers = [
        _answer(index, float(repeat), repeat=repeat, cluster=f"c{index // 5}")
        for index in range(50)
        for repeat in range(2)
    ]
    found = inflation(ACC, answers, frozenset({"1", "7"}))
    assert (found["n_first"], found["n_second"], found["clusters"]) == (2, 48, 10)
    assert found["all"] == found["clean"] == 0.5


@pytest.mark.parametrize("seen", [frozenset(), frozenset(map(str, range(10)))])
def test_without_two_groups_there_is_no_inflation_to_tell(seen):
    assert inflation(ACC, [_answer(index, 1.0) for index in range(10)], seen) is None


def test_what_is_no_mean_or_was_not_scored_has_no_inflation():
    answers = [_answer(index, 1.0) for index in range(10)]
    assert inflation(replace(ACC, scale="ratio"), answers, frozenset({"1"})) is None
    assert (
        inflation(ACC, [replace(answer, state="error", values={}) for answer in answers], frozenset("1"))
        is None
    )


def test_the_facts_are_of_what_was_learned():
    """A task whose test split is its training split, cut by max_examples."""
    (task,) = load_tasks("nano/sentiment(split=train)")
    answers = [
        Answer(sample.id, 0, "ok", sample.text, sample.target, values={"acc": 1.0, "f1": [0, 0]})
        for sample in task.samples("train")
    ]
    assert score_answers(task, answers[:1])[0].metric == "acc"
    whole = contamination_facts(parse_adaptation("fit"), task, 0, answers)["contamination"]
    assert (whole["exact_duplicates"], whole["training_examples"]) == (256, 256)
    assert "inflation" not in whole
    few = contamination_facts(parse_adaptation("lora(max_examples=16)"), task, 3, answers)["contamination"]
    assert (few["exact_duplicates"], few["training_examples"]) == (
        16,
        116,
    )  # 16 to train on, 100 to choose by
    assert few["inflation"]["estimate"] == 0
    assert contamination_facts(parse_adaptation("few-shot(k=4)"), task, 0, answers) == {}
    assert contamination_facts(parse_adaptation("fit"), task, 0, []) == {}
