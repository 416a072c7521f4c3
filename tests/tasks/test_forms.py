"""Perturbed wordings, other orders of the options and groups: what is asked, and what the answers say."""

from __future__ import annotations

import json
import math
import random
from collections import Counter

import pytest
import yaml

from tianti.core.exceptions import TaskError, UnknownNameError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import score_answers
from tianti.tasks import Shots, load_tasks
from tianti.tasks.forms import orders
from tianti.tasks.perturb import PERTURBATIONS

TEXT = frozenset({ScoreRequest, GenerateRequest})
HEAD = frozenset({ChooseRequest})
CHOICE = {
    "kind": "multiple-choice",
    "doc_to_text": "{{q}}\n{% for o in options %}{{loop.index}}. {{o}}\n{% endfor %}Answer:",
    "doc_to_choice": "options",
    "doc_to_target": "label",
    "metric_list": ["acc"],
}
QUESTIONS = [
    {"q": "Which colour has the Sky?", "options": ["red", "blue", "green", "black"], "label": 1, "who": "a"},
    {"q": "Which animal Barks loudly?", "options": ["cat", "cow", "dog", "hen"], "label": 2, "who": "b"},
    {"q": "What do people Drink?", "options": ["water", "stone", "sand", "iron"], "label": 0, "who": "a"},
]
SENTIMENT = {
    "kind": "classification",
    "doc_to_text": "Review: {{q}}\nGood?",
    "doc_to_choice": ["no", "yes"],
    "doc_to_target": "label",
    "head_text": "q",
}
REVIEWS = [
    {"q": "A Wonderful evening with Friends", "label": 1, "who": "a"},
    {"q": "The Worst dinner of all", "label": 0, "who": "b"},
]
ANSWER = {"kind": "question-answering", "doc_to_text": "{{q}}", "doc_to_target": "a"}
FACTS = [
    {"q": "Which colour has the Sky?", "a": "blue", "who": "a"},
    {"q": "Who Barks?", "a": "dogs", "who": "b"},
]


@pytest.fixture
def make(tmp_path):
    def make(keys, rows, **more):
        (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
        file = {"task": "mine", "data": {"train": "a.jsonl", "test": "a.jsonl"}} | keys | more
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(file))
        (task,) = load_tasks(str(path))
        return task

    return make


def questions(task, types=TEXT, shots=None):
    return list(task.questions(shots or Shots(), types))


def picks(question, *right):
    """Responses in which the options of these places (one for each asking) are the most probable."""
    size = len(question.requests) // len(right)
    return [
        ScoreResponse(-1.0 if place == chosen else -2.0, False) for chosen in right for place in range(size)
    ]


def scored(task, grades):
    asked = [
        Answer(q.sample_id, 0, "ok", "", "", values=grade.values, cluster=q.cluster, position=position)
        for position, (q, grade) in enumerate(grades)
    ]
    return {score.metric: score for score in score_answers(task, asked)}


def test_what_perturbations_do():
    text = "The quick Brown fox jumps over the lazy dog"
    changed = {name: change(text, random.Random(0), 0.5) for name, change in PERTURBATIONS.items()}
    assert changed["lowercase"] == text.lower()
    assert changed["spaces"].split() == text.split()
    assert changed["spaces"] != text
    words = list(zip(changed["misspelling"].split(" "), text.split(" "), strict=True))
    assert any(new != old for new, old in words)
    for new, old in words:
        assert (new[0], new[-1], sorted(new)) == (old[0], old[-1], sorted(old))
        assert new == old or len(old) >= 4
    assert changed["mix"] == changed["mix"].lower()


def test_each_sample_is_asked_as_it_is_and_perturbed(make):
    task = make(SENTIMENT, REVIEWS, perturbations=["lowercase", "misspelling"])
    first, _ = questions(task)
    contexts = list(dict.fromkeys(request.context for request in first.requests))
    assert len(first.requests) == 6
    assert contexts[:2] == [
        "Review: A Wonderful evening with Friends\nGood?",
        "Review: a wonderful evening with friends\nGood?",
    ]
    assert contexts[0] == first.prompt
    assert [request.continuation for request in first.requests] == [" no", " yes"] * 3
    assert questions(task) == questions(task)
    heads, _ = questions(task, HEAD)
    assert [request.text for request in heads.requests][:2] == [REVIEWS[0]["q"], REVIEWS[0]["q"].lower()]
    assert task.file.metric_names == ("acc", "f1", "robust_acc", "robustness_gap")


def test_a_deterministic_model_is_as_robust_as_its_worst_form(make):
    task = make(SENTIMENT, REVIEWS, perturbations=["lowercase", "misspelling"])
    first, second = questions(task)
    grade = task.grade(first, picks(first, 1, 0, 1))
    assert grade.values == {
        "acc": 1.0,
        "f1": [1, 1],
        "robust_acc": 0.0,
        "robustness_gap": pytest.approx(0.5),
    }
    other = task.grade(second, picks(second, 0, 0, 0))
    assert (other.values["robust_acc"], other.values["robustness_gap"]) == (1.0, 0.0)
    found = scored(task, [(first, grade), (second, other)])
    assert (found["robust_acc"].value, found["acc"].value) == (0.5, 1.0)
    assert found["robustness_gap"].value == pytest.approx(0.25)
    assert found["robustness_gap"].method == "paired difference, t"
    assert found["robustness_gap"].low < 0.25 < found["robustness_gap"].high
    head = task.grade(
        questions(task, HEAD)[0], [ChooseResponse((math.log(p), math.log(1 - p))) for p in (0.4, 0.6, 0.4)]
    )
    assert head.values["robust_acc"] == 0.0


def test_chance_in_sampled_answers_is_no_lack_of_robustness(make):
    """The worst of three draws is bad for any model: what it loses without perturbation is given back."""
    keys = ANSWER | {"generation_kwargs": {"do_sample": True, "temperature": 1.0}}
    task = make(keys, FACTS, perturbations=["lowercase", "spaces"])
    question = questions(task)[0]
    assert len(question.requests) == 5  # three draws of the sample, one of each form
    assert len({request.seed for request in question.requests}) == 5
    once = make(keys, FACTS)
    assert questions(once)[0].requests[0] == question.requests[0]
    rng = random.Random(0)
    robust, naive, plain = [], [], []
    for _ in range(4000):
        texts = ["blue" if rng.random() < 0.6 else "red" for _ in range(5)]
        values = task.grade(question, [GenerateResponse(text) for text in texts]).values
        robust.append(values["robust_exact_match"])
        plain.append(values["exact_match"])
        naive.append(min(text == "blue" for text in (texts[0], *texts[3:])))
    assert sum(plain) / 4000 == pytest.approx(0.6, abs=0.02)
    assert sum(robust) / 4000 == pytest.approx(0.6, abs=0.02)
    assert sum(naive) / 4000 < 0.3


def test_perturbations_that_do_nothing_are_refused(make):
    rows = [{"q": "天空是什么颜色", "a": "蓝", "who": "a"}]
    with pytest.raises(TaskError, match="lowercase changes no sample"):
        questions(make(ANSWER, rows, language="zh", perturbations=["lowercase"]))
    with pytest.raises(TaskError, match="asks for the column 'qq'"):
        questions(make(ANSWER, FACTS, perturbations={"kinds": ["spaces"], "columns": ["qq"]}))
    with pytest.raises(TaskError, match="repeats and perturbations"):
        make(
            ANSWER,
            FACTS,
            generation_kwargs={"do_sample": True, "temperature": 1.0},
            repeats=3,
            perturbations=["spaces"],
        )
    with pytest.raises(TaskError, match="perturbations"):
        make(ANSWER, FACTS, perturbations=["typos"])
    with pytest.raises(TaskError, match="did you mean 'columns'"):
        make(ANSWER, FACTS, perturbations={"kinds": ["spaces"], "column": ["q"]})


def test_shots_of_a_variant_are_those_of_the_sample(make):
    task = make(SENTIMENT, REVIEWS, perturbations=["lowercase"])
    question = questions(task, shots=Shots(1))[0]
    before = [request.context.rpartition("Review: ")[0] for request in question.requests]
    assert len(set(before)) == 1
    assert "Worst" in before[0]


@pytest.mark.parametrize(("count", "options"), [(4, 4), (2, 4), (6, 3), (8, 4), (2, 2), (24, 4)])
def test_the_right_option_stands_everywhere_equally_often(count, options):
    for gold in range(options):
        found = [tuple(range(options)), *orders(count, options, gold, random.Random(gold))]
        assert len(set(found)) == count
        assert all(sorted(order) == list(range(options)) for order in found)
        places = Counter(order.index(gold) for order in found)
        assert max(places.values()) - min(places.get(place, 0) for place in range(options)) <= 1


def test_the_options_are_asked_in_other_orders(make):
    task = make(CHOICE, QUESTIONS, option_order=4)
    question = questions(task)[0]
    assert len(question.requests) == 16
    golds = []
    for start in range(0, 16, 4):
        asked = question.requests[start : start + 4]
        options = [request.continuation.strip() for request in asked]
        assert sorted(options) == sorted(QUESTIONS[0]["options"])
        assert all(f"{place + 1}. {option}\n" in asked[0].context for place, option in enumerate(options))
        golds.append(options.index("blue"))
    assert sorted(golds) == [0, 1, 2, 3]
    assert golds[0] == 1
    assert task.file.metric_names == ("acc", "flip_rate", "acc_over_orders", "position_gap")


def test_letters_may_stand_for_the_options(make):
    rows = [{"q": "Colour?", "A": "red", "B": "blue", "C": "grey", "label": "B"}]
    keys = CHOICE | {
        "doc_to_text": "{{q}} A {{A}} B {{B}} C {{C}}",
        "doc_to_choice": ["A", "B", "C"],
    }
    task = make(keys, rows, option_order={"orders": 3, "options": ["A", "B", "C"]})
    question = questions(task)[0]
    contexts = [question.requests[start].context for start in (0, 3, 6)]
    assert len(set(contexts)) == 3
    right = ["ABC"[context.replace("Colour?", "").split()[1::2].index("blue")] for context in contexts]
    chosen = ["ABC".index(letter) for letter in right]
    assert task.grade(question, picks(question, *chosen)).values["acc_over_orders"] == 1
    with pytest.raises(TaskError, match="options are to be named"):
        questions(make(keys, rows, option_order=3))


def test_a_model_that_picks_a_place_flips_and_one_that_knows_does_not(make):
    task = make(CHOICE, QUESTIONS, option_order=4)
    first_place, knowing = [], []
    for question in questions(task):
        golds = [variant.sample.form.label for variant in question.sample.variants]
        knowing.append((question, task.grade(question, picks(question, question.sample.form.label, *golds))))
        first_place.append((question, task.grade(question, picks(question, 0, 0, 0, 0))))
    found = scored(task, knowing)
    assert (found["flip_rate"].value, found["acc_over_orders"].value, found["position_gap"].value) == (
        0,
        1,
        0,
    )
    found = scored(task, first_place)
    assert found["flip_rate"].value > 0.5
    assert found["acc_over_orders"].value == pytest.approx(0.25)
    assert found["acc_over_orders"].chance == pytest.approx(0.25)
    gap = found["position_gap"]
    assert gap.value == 1  # always right where the right option stands first, never elsewhere
    assert gap.low <= 1 <= gap.high
    assert gap.method == "widest of 4 groups, CR1·t, Bonferroni"
    values = first_place[0][1].values
    assert sorted(values["position_gap"]) == [[0, 1.0], [1, 0.0], [2, 0.0], [3, 0.0]]


def test_flips_are_counted_by_content(make):
    task = make(CHOICE, QUESTIONS[:1], option_order=3)
    (question,) = questions(task)
    places = [variant.order.index(3) for variant in question.sample.variants]
    always_black = task.grade(question, picks(question, 3, *places)).values
    assert (always_black["flip_rate"], always_black["acc_over_orders"]) == (0, 0)
    once_red = task.grade(question, picks(question, 0, *places)).values
    assert once_red["flip_rate"] == pytest.approx(2 / 3)  # two of the three pairs of orders disagree


def test_orders_that_cannot_be_asked_are_refused(make):
    with pytest.raises(TaskError, match="no prompt shows the options"):
        questions(make(CHOICE | {"doc_to_text": "{{q}}"}, QUESTIONS, option_order=4))
    two = [{"q": "x", "options": ["a", "b"], "label": 0}]
    with pytest.raises(TaskError, match="3 orders of 2 options"):
        questions(make(CHOICE, two, option_order=3))
    with pytest.raises(TaskError, match="means nothing for the kind classification"):
        make(SENTIMENT, REVIEWS, option_order=2)
    with pytest.raises(TaskError, match="flip_rate needs the key 'option_order'"):
        make(CHOICE, QUESTIONS, metric_list=["acc", "flip_rate"])
    with pytest.raises(UnknownNameError):
        make(SENTIMENT, REVIEWS, metric_list=["acc", "flip_rate"])


def test_groups_are_compared_with_all(make):
    task = make(CHOICE, QUESTIONS, group="who")
    assert task.file.metric_names == ("acc", "fairness_gap")
    grades = [
        (question, task.grade(question, picks(question, question.sample.form.label if right else 3)))
        for question, right in zip(questions(task), (True, False, True), strict=True)
    ]
    assert [grade.values["fairness_gap"] for _, grade in grades] == [["a", 1.0], ["b", 0.0], ["a", 1.0]]
    gap = scored(task, grades)["fairness_gap"]
    assert gap.value == pytest.approx(2 / 3)
    assert gap.method == "worst of 2 groups, t, Bonferroni"
    assert (gap.n, gap.higher_is_better, gap.scale) == (3, False, "ratio")
    # Of a metric whose lower values are better the group with the highest is the worst.
    task = make(CHOICE, QUESTIONS, group="who", metric_list=["brier"])
    values = task.grade(questions(task)[0], picks(questions(task)[0], 1)).values
    assert values["fairness_gap"] == ["a", -values["brier"]]


def test_keys_at_their_defaults_leave_fingerprints_alone(make):
    task = make(CHOICE, QUESTIONS)
    assert not {"perturbations", "option_order", "group"} & set(task.file.prompt_settings())
    assert make(CHOICE, QUESTIONS, group="who").fingerprint != task.fingerprint
    assert (
        make(CHOICE, QUESTIONS, option_order=2).fingerprint
        != make(CHOICE, QUESTIONS, option_order=3).fingerprint
    )
