"""Prompts and the examples in them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from question_task import QUESTIONS, TEXT, numbered, question_task
from tianti.core.exceptions import IncompatibleError
from tianti.engine import ChooseRequest
from tianti.tasks import Shots
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.yaml_task import YamlTask

constants = st.text("ab {#}é\n评", max_size=6).filter(lambda text: text not in "qa" and "{" not in text)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
rows = st.lists(st.fixed_dictionaries({"q": texts, "a": texts.filter(bool)}), min_size=1, max_size=6)


@settings(max_examples=40)
@given(train=rows, test=rows, delimiters=st.tuples(texts, texts), description=constants, data=st.data())
def test_a_prompt_is_description_examples_and_question(
    train, test, delimiters, description, data, tmp_path_factory
):
    between, after = delimiters
    folder = tmp_path_factory.mktemp("task")
    keys = {
        "target_delimiter": between,
        "fewshot_delimiter": after,
        "description": description,
    }
    task = question_task(folder, train, test, **keys)
    k = data.draw(st.integers(0, len(train)))
    for row, sample in zip(test, task.samples("test"), strict=True):
        others = [other for other in train if other["q"] != row["q"]]
        if len(others) < k:
            with pytest.raises(IncompatibleError, match=f"{k} shots asked"):
                task.asker.prompt(sample, Shots(k))
            continue
        first = "".join(f"Q: {other['q']}\nA:{between}{other['a']}{after}" for other in others[:k])
        assert (
            task.asker.prompt(sample, Shots(k, "first")) == f"{keys['description']}{first}Q: {row['q']}\nA:"
        )
        drawn = task.asker.choose_shots(sample, Shots(k, "random", seed=3))
        pool = Counter((other["q"], other["a"]) for other in others)
        assert len(drawn) == k
        assert Counter((shot.row["q"], shot.row["a"]) for shot in drawn) <= pool


def test_shots_depend_on_seed_and_sample_and_on_nothing_else(tmp_path):
    task = question_task(tmp_path, numbered(50), numbered(8, start=100))
    prompts = [question.prompt for question in task.questions(Shots(4, seed=1), TEXT)]
    assert len({prompt.rpartition("Q:")[0] for prompt in prompts}) == 8
    assert [question.prompt for question in task.questions(Shots(4, seed=1), TEXT, limit=3)] == prompts[:3]
    again = question_task(tmp_path, numbered(50), numbered(8, start=100)[::-1], id="q")
    by_question = {question.prompt for question in again.questions(Shots(4, seed=1), TEXT)}
    task = question_task(tmp_path, numbered(50), numbered(8, start=100), id="q")
    assert {question.prompt for question in task.questions(Shots(4, seed=1), TEXT)} == by_question
    assert {question.prompt for question in task.questions(Shots(4, seed=2), TEXT)} != by_question


def test_all_shots_are_drawn_about_equally_often(tmp_path):
    task = question_task(tmp_path, numbered(10), numbered(500, start=100))
    drawn = Counter(
        shot.id for sample in task.samples("test") for shot in task.asker.choose_shots(sample, Shots(2))
    )
    assert sum(drawn.values()) == 1000
    assert all(60 <= count <= 140 for count in drawn.values()), drawn  # 100 ± 4 standard deviations


def test_a_sample_is_never_its_own_shot(tmp_path):
    task = question_task(tmp_path, numbered(1), numbered(4), fewshot_split="test")
    for sample in task.samples("test"):
        for shots in (Shots(3), Shots(3, "first")):
            assert {shot.id for shot in task.asker.choose_shots(sample, shots)} == {"0", "1", "2", "3"} - {
                sample.id
            }
    with pytest.raises(IncompatibleError, match="4 shots asked, split 'test' has 3"):
        list(task.questions(Shots(4), TEXT))


def test_no_shots_to_give_is_said_before_the_first_question(tmp_path):
    question_task(tmp_path, numbered(3), numbered(3))
    file = parse_task_file(QUESTIONS | {"data": "test.jsonl"}, "mine.yaml")
    with pytest.raises(IncompatibleError, match="no split 'train' to take shots from"):
        YamlTask(file, tmp_path / "mine.yaml").questions(Shots(1), TEXT)
    with pytest.raises(IncompatibleError, match="this model reads none"):
        question_task(tmp_path, numbered(3), numbered(3)).questions(Shots(1), frozenset({ChooseRequest}))
    whole = {"kind": "language-modelling", "doc_to_text": "", "doc_to_target": "q"}
    with pytest.raises(IncompatibleError, match="no solved examples"):
        question_task(tmp_path, numbered(3), numbered(3), **whole).questions(Shots(1), TEXT)
