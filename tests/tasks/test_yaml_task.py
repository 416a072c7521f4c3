"""Prompts, shots and fingerprints of tasks from task files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.core.exceptions import IncompatibleError
from tianti.engine import ChooseRequest, GenerateRequest, ScoreRequest
from tianti.tasks import Shots, load_tasks
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.yaml_task import YamlTask

TEXT = frozenset({ScoreRequest, GenerateRequest})
BASE: dict[str, Any] = {
    "task": "mine",
    "kind": "question-answering",
    "data": {"train": "train.jsonl", "test": "test.jsonl"},
    "doc_to_text": "Q: {{q}}\nA:",
    "doc_to_target": "a",
}
constants = st.text("ab {#}é\n评", max_size=6).filter(lambda text: text not in "qa" and "{" not in text)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
rows = st.lists(st.fixed_dictionaries({"q": texts, "a": texts.filter(bool)}), min_size=1, max_size=6)


def write(folder: Path, train: list[dict], test: list[dict], **keys: Any) -> YamlTask:
    for split, content in (("train", train), ("test", test)):
        lines = "".join(json.dumps(row) + "\n" for row in content)
        (folder / f"{split}.jsonl").write_text(lines, "utf-8", newline="")
    file = parse_task_file(BASE | keys, "mine.yaml")
    return YamlTask(file, folder / "mine.yaml")


def numbered(count: int, start: int = 0) -> list[dict]:
    return [{"q": f"{number}?", "a": f"{number}!"} for number in range(start, start + count)]


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
    task = write(folder, train, test, **keys)
    k = data.draw(st.integers(0, len(train)))
    for row, sample in zip(test, task.samples("test"), strict=True):
        others = [other for other in train if other["q"] != row["q"]]
        if len(others) < k:
            with pytest.raises(IncompatibleError, match=f"{k} shots asked"):
                task.prompt(sample, Shots(k))
            continue
        first = "".join(f"Q: {other['q']}\nA:{between}{other['a']}{after}" for other in others[:k])
        assert task.prompt(sample, Shots(k, "first")) == f"{keys['description']}{first}Q: {row['q']}\nA:"
        drawn = task.choose_shots(sample, Shots(k, "random", seed=3))
        pool = Counter((other["q"], other["a"]) for other in others)
        assert len(drawn) == k
        assert Counter((shot.row["q"], shot.row["a"]) for shot in drawn) <= pool


def test_shots_depend_on_seed_and_sample_and_on_nothing_else(tmp_path):
    task = write(tmp_path, numbered(50), numbered(8, start=100))
    prompts = [question.prompt for question in task.questions(Shots(4, seed=1), TEXT)]
    assert len({prompt.rpartition("Q:")[0] for prompt in prompts}) == 8
    assert [question.prompt for question in task.questions(Shots(4, seed=1), TEXT, limit=3)] == prompts[:3]
    again = write(tmp_path, numbered(50), numbered(8, start=100)[::-1], id="q")
    by_question = {question.prompt for question in again.questions(Shots(4, seed=1), TEXT)}
    task = write(tmp_path, numbered(50), numbered(8, start=100), id="q")
    assert {question.prompt for question in task.questions(Shots(4, seed=1), TEXT)} == by_question
    assert {question.prompt for question in task.questions(Shots(4, seed=2), TEXT)} != by_question


def test_all_shots_are_drawn_about_equally_often(tmp_path):
    task = write(tmp_path, numbered(10), numbered(500, start=100))
    drawn = Counter(
        shot.id for sample in task.samples("test") for shot in task.choose_shots(sample, Shots(2))
    )
    assert sum(drawn.values()) == 1000
    assert all(60 <= count <= 140 for count in drawn.values()), drawn  # 100 ± 4 standard deviations


def test_a_sample_is_never_its_own_shot(tmp_path):
    task = write(tmp_path, numbered(1), numbered(4), fewshot_split="test")
    for sample in task.samples("test"):
        for shots in (Shots(3), Shots(3, "first")):
            assert {shot.id for shot in task.choose_shots(sample, shots)} == {"0", "1", "2", "3"} - {
                sample.id
            }
    with pytest.raises(IncompatibleError, match="4 shots asked, split 'test' has 3"):
        list(task.questions(Shots(4), TEXT))


def test_no_shots_to_give_is_said_before_the_first_question(tmp_path):
    write(tmp_path, numbered(3), numbered(3))
    file = parse_task_file(BASE | {"data": "test.jsonl"}, "mine.yaml")
    with pytest.raises(IncompatibleError, match="no split 'train' to take shots from"):
        YamlTask(file, tmp_path / "mine.yaml").questions(Shots(1), TEXT)
    with pytest.raises(IncompatibleError, match="this model reads none"):
        write(tmp_path, numbered(3), numbered(3)).questions(Shots(1), frozenset({ChooseRequest}))
    whole = {"kind": "language-modelling", "doc_to_text": "", "doc_to_target": "q"}
    with pytest.raises(IncompatibleError, match="no solved examples"):
        write(tmp_path, numbered(3), numbered(3), **whole).questions(Shots(1), TEXT)


def test_count_and_limit(tmp_path):
    task = write(tmp_path, numbered(3), numbered(5))
    assert (task.count(), task.count(2), task.count(9)) == (5, 2, 5)
    assert [question.sample_id for question in task.questions(Shots(), TEXT, 2)] == ["0", "1"]


def test_clusters_and_ids_come_from_their_columns(tmp_path):
    test = [{"q": "x", "a": "y", "key": 7, "town": "T"}, {"q": "x2", "a": "y", "key": 8, "town": "T"}]
    task = write(tmp_path, numbered(1), test, id="key", cluster="town")
    questions = list(task.questions(Shots(), TEXT))
    assert [(question.sample_id, question.cluster) for question in questions] == [("7", "T"), ("8", "T")]


CHANGES: dict[str, dict[str, Any]] = {
    "prompt": {"doc_to_text": "Q: {{q}} A:"},
    "target": {"doc_to_target": "{{a}}"},
    "delimiter": {"target_delimiter": "  "},
    "shots": {"fewshot_split": "test"},
    "metrics": {"metric_list": ["f1"]},
    "generation": {"generation_kwargs": {"max_gen_toks": 3}},
    "thinking": {"thinking": {"max_tokens": 3}},
    "repeats": {"repeats": 2, "generation_kwargs": {"do_sample": True, "temperature": 1.0}},
    "language": {"language": "zh"},
    "name": {"task": "other"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_a_score_changes_the_fingerprint(change, tmp_path):
    before = write(tmp_path, numbered(3), numbered(3)).fingerprint
    assert write(tmp_path, numbered(3), numbered(3), **change).fingerprint != before


def test_the_fingerprint_is_of_the_data_and_not_of_its_place(tmp_path):
    def one(folder: str, *, train: int = 3, test: int = 3, **keys: Any) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        return write(tmp_path / folder, numbered(train), numbered(test), **keys).fingerprint

    before = one("a")
    assert one("b") == before
    assert one("b", source="elsewhere", licence="MIT", metadata={"version": 2}) == before
    assert one("b", train=4) != before
    assert one("b", test=4) != before


def test_a_new_version_of_a_metric_is_a_new_task(tmp_path, monkeypatch):
    from dataclasses import replace

    task = write(tmp_path, numbered(3), numbered(3))
    rule = replace(task.kind.metrics["f1"], version=2)
    monkeypatch.setitem(task.kind.metrics, "f1", rule)
    newer = write(tmp_path, numbered(3), numbered(3)).fingerprint
    monkeypatch.undo()
    assert task.fingerprint != newer


def test_the_facts_of_a_task(tmp_path):
    write(tmp_path, numbered(2), numbered(2))
    path = tmp_path / "mine.yaml"
    path.write_text(
        yaml.safe_dump(BASE | {"metadata": {"version": 2, "description": "Sums"}, "licence": "MIT"})
    )
    (task,) = load_tasks(str(path))
    info = task.info
    assert (info.name, info.kind, info.language, info.split) == ("mine", "question-answering", "en", "test")
    assert (info.version, info.description, info.licence) == ("2", "Sums", "MIT")
    assert info.reference == str(path)
    json.dumps(info.settings)


def test_data_may_be_of_any_format(tmp_path):
    (tmp_path / "a.csv").write_text("q,a\nx,y\n")
    file = parse_task_file(BASE | {"data": "a.csv"}, "mine.yaml")
    assert YamlTask(file, tmp_path / "mine.yaml").rows("test") == [{"q": "x", "a": "y"}]
