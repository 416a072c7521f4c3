"""Data, facts and fingerprints of tasks from task files."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from question_task import QUESTIONS, TEXT, numbered, question_task
from tianti.tasks import Shots, load_tasks
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.yaml_task import YamlTask


def test_count_and_limit(tmp_path):
    task = question_task(tmp_path, numbered(3), numbered(5))
    assert (task.count(), task.count(2), task.count(9)) == (5, 2, 5)
    assert [question.sample_id for question in task.questions(Shots(), TEXT, 2)] == ["0", "1"]


def test_clusters_and_ids_come_from_their_columns(tmp_path):
    test = [{"q": "x", "a": "y", "key": 7, "town": "T"}, {"q": "x2", "a": "y", "key": 8, "town": "T"}]
    task = question_task(tmp_path, numbered(1), test, id="key", cluster="town")
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
    before = question_task(tmp_path, numbered(3), numbered(3)).fingerprint
    assert question_task(tmp_path, numbered(3), numbered(3), **change).fingerprint != before


def test_the_fingerprint_is_of_the_data_and_not_of_its_place(tmp_path):
    def one(folder: str, *, train: int = 3, test: int = 3, **keys: Any) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        return question_task(tmp_path / folder, numbered(train), numbered(test), **keys).fingerprint

    before = one("a")
    assert one("b") == before
    assert one("b", source="elsewhere", licence="MIT", metadata={"version": 2}) == before
    assert one("b", train=4) != before
    assert one("b", test=4) != before


def test_a_new_version_of_a_metric_is_a_new_task(tmp_path, monkeypatch):
    from dataclasses import replace

    task = question_task(tmp_path, numbered(3), numbered(3))
    rule = replace(task.kind.metrics["f1"], version=2)
    monkeypatch.setitem(task.kind.metrics, "f1", rule)
    newer = question_task(tmp_path, numbered(3), numbered(3)).fingerprint
    monkeypatch.undo()
    assert task.fingerprint != newer


def test_the_facts_of_a_task(tmp_path):
    question_task(tmp_path, numbered(2), numbered(2))
    path = tmp_path / "mine.yaml"
    path.write_text(
        yaml.safe_dump(QUESTIONS | {"metadata": {"version": 2, "description": "Sums"}, "licence": "MIT"})
    )
    (task,) = load_tasks(str(path))
    info = task.info
    assert (info.name, info.kind, info.language, info.split) == ("mine", "question-answering", "en", "test")
    assert (info.version, info.description, info.licence) == ("2", "Sums", "MIT")
    assert info.reference == str(path)
    json.dumps(info.settings)


def test_data_may_be_of_any_format(tmp_path):
    (tmp_path / "a.csv").write_text("q,a\nx,y\n")
    file = parse_task_file(QUESTIONS | {"data": "a.csv"}, "mine.yaml")
    assert YamlTask(file, tmp_path / "mine.yaml").rows("test") == [{"q": "x", "a": "y"}]
