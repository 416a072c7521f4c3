"""Pairs, relations, entities and spans: what is read, asked, graded and taught."""

from __future__ import annotations

import json

import pytest
import yaml

from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    ScoreRequest,
    SpanRequest,
    SpanResponse,
    TagRequest,
    TagResponse,
)
from tianti.tasks import Shots, load_tasks

TEXT = frozenset({ScoreRequest, GenerateRequest})
KEYS = {
    "pair-matching": {
        "doc_to_text": "{{a}} / {{b}} ->",
        "head_text": ["a", "{{b}}!"],
        "doc_to_choice": ["no", "yes"],
        "doc_to_target": "label",
    },
    "relation-extraction": {
        "doc_to_text": "{{a}} Relation:",
        "head_text": "marked",
        "doc_to_choice": ["owns(e1,e2)", "owns(e2,e1)", "knows", "none"],
        "doc_to_target": "label",
        "no_relation": "none",
    },
    "named-entity-recognition": {
        "doc_to_text": "{{text}}\nNames:",
        "head_text": "text",
        "words": "words",
        "doc_to_target": "tags",
        "entity_types": {"PER": "person", "LOC": "place"},
    },
    "extractive-question-answering": {
        "doc_to_text": "{{passage}} {{question}}",
        "head_text": "question",
        "passage": "passage",
        "doc_to_target": "answers",
    },
}
NER = {
    "text": "Mira lives in Amber Lane.",
    "words": ["Mira", "lives", "in", "Amber", "Lane", "."],
    "tags": ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"],
}
QA = {"passage": "The red door, the blue door.", "question": "What is blue?", "answers": ["door", "the door"]}


@pytest.fixture
def make(tmp_path):
    def make(kind, *rows, **keys):
        (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
        data = {"train": "a.jsonl", "test": "a.jsonl"}
        file = {"task": "mine", "kind": kind, "data": data} | KEYS[kind] | keys
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({key: value for key, value in file.items() if value is not None}))
        (task,) = load_tasks(str(path))
        task.samples("test")
        return task

    return make


def first(task, types=TEXT):
    return next(iter(task.questions(Shots(), types)))


def test_a_pair_is_prompted_as_one_text_and_read_by_a_head_as_two(make):
    task = make("pair-matching", {"a": "it rains", "b": "it is wet", "label": "yes"})
    assert first(task).requests == (
        ScoreRequest("it rains / it is wet ->", " no"),
        ScoreRequest("it rains / it is wet ->", " yes"),
    )
    question = first(task, frozenset({ChooseRequest}))
    pair = ("it rains", "it is wet!")
    assert question.requests == (ChooseRequest("it rains\nit is wet!", ("no", "yes"), pair),)
    assert task.grade(question, [ChooseResponse((-2.0, -0.1))]).values == {
        "acc": 1.0,
        "f1": [1, 1],
        "mcc": [1, 1],
    }
    (example,) = task.examples("train")
    assert (example.text, example.pair, example.label) == ("it rains\nit is wet!", pair, 1)


def test_only_pairs_have_two_texts(make):
    with pytest.raises(TaskError, match="expects two columns or templates"):
        make("pair-matching", {"a": "x", "b": "y", "label": 0}, head_text="a")
    with pytest.raises(TaskError, match="expects one text"):
        make("relation-extraction", {"a": "x", "marked": "x", "label": 0}, head_text=["a", "marked"])
    with pytest.raises(TaskError, match="'words' means nothing for the kind pair-matching"):
        make("pair-matching", {"a": "x", "b": "y", "label": 0}, words="a")


def test_relations_count_their_direction(make):
    row = {"a": "Mira's boat", "marked": "<e1>Mira</e1>'s <e2>boat</e2>"}
    labels = ["owns(e1,e2)", "owns(e2,e1)", "knows", "none"]
    task = make("relation-extraction", *({**row, "label": label} for label in labels))
    questions = list(task.questions(Shots(), frozenset({ChooseRequest})))
    assert questions[0].requests == (ChooseRequest(row["marked"], tuple(labels)),)
    certain = [ChooseResponse(tuple(0.0 if place == n else -9.0 for place in range(4))) for n in range(4)]
    found = [task.grade(q, [certain[1]]).values["relation_f1"] for q in questions]
    assert found == [[0, 0, 0, 1], [0, 1, 0, 1], [2, 0, 0, 1], [-1, 0, 0, 1]]
    assert task.grade(questions[3], [certain[3]]).values["relation_f1"] == [-1, 0, -1, 0]
    assert [metric.name for metric in task.metrics] == [
        "relation_f1",
        "relation_micro_f1",
        "undirected_f1",
        "undirected_micro_f1",
        "acc",
    ]
    with pytest.raises(TaskError, match="no_relation 'Other' is none of the choices"):
        make("relation-extraction", {**row, "label": 0}, no_relation="Other")


def test_entities_are_tagged_by_a_head(make):
    task = make("named-entity-recognition", NER)
    question = first(task, frozenset({TagRequest}))
    words = ((0, 4), (5, 10), (11, 13), (14, 19), (20, 24), (24, 25))
    labels = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert question.requests == (TagRequest(NER["text"], words, labels),)
    grade = task.grade(question, [TagResponse(("B-PER", "O", "O", "B-LOC", "O", "I-LOC"))])
    assert grade.prediction == "Mira: person; Amber: place"
    assert grade.values == {key: [1, 2, 2] for key in ("span_f1", "span_precision", "span_recall")}
    (example,) = task.examples("train")
    assert (example.words, example.tags, example.choices) == (words, tuple(NER["tags"]), labels)
    assert (example.context, example.continuation) == (
        "Mira lives in Amber Lane.\nNames:",
        " Mira: person; Amber Lane: place",
    )


def test_entities_are_written_by_a_language_model(make):
    task = make("named-entity-recognition", NER, entity_types=["PER", "LOC"])
    question = first(task)
    assert question.target == "Mira: PER; Amber Lane: LOC"
    assert isinstance(question.requests[0], GenerateRequest)
    grade = task.grade(question, [GenerateResponse(" Amber Lane: LOC; Mira: LOC; Ben: PER")])
    assert grade.values["span_f1"] == [1, 3, 2]
    with pytest.raises(IncompatibleError, match="writes text or tags words"):
        first(task, frozenset({ChooseRequest}))


def test_chinese_is_tagged_by_characters(make):
    row = {"text": "米拉住在琥珀巷。", "words": list("米拉住在琥珀巷。")}
    row["tags"] = ["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O"]
    task = make(
        "named-entity-recognition",
        row,
        language="zh",
        entity_types={"PER": "人", "LOC": "地"},
        target_delimiter="",
    )
    question = first(task)
    assert question.target == "米拉：人；琥珀巷：地"
    assert task.grade(question, [GenerateResponse(question.target)]).values["span_f1"] == [2, 2, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tags": ["O"]}, "6 words and 1 tags"),
        ({"tags": ["B-ORG"] + ["O"] * 5}, "unknown tag 'B-ORG'"),
        ({"words": ["Ben", "lives", "in", "Amber", "Lane", "."]}, "do not stand in head_text"),
        ({"words": [1, 2, 3, 4, 5, 6]}, "expected a list of texts"),
    ],
)
def test_what_is_wrong_with_tags_is_said(make, change, message):
    with pytest.raises(TaskError, match=message):
        make("named-entity-recognition", NER | change)


def test_words_and_tags_may_be_texts_with_spaces(make):
    row = NER | {"words": " ".join(NER["words"]), "tags": " ".join(NER["tags"])}
    assert make("named-entity-recognition", row).samples("test")[0].form.tags == tuple(NER["tags"])


def test_a_span_is_marked_by_a_head_and_written_by_a_language_model(make):
    task = make("extractive-question-answering", QA | {"start": [23, 19]}, answer_start="start")
    question = first(task, frozenset({SpanRequest}))
    assert question.requests == (SpanRequest(QA["question"], QA["passage"]),)
    assert task.grade(question, [SpanResponse("the blue door", 14, 27, -1.0)]).values == {
        "exact_match": 0.0,
        "f1": pytest.approx(2 / 3),
    }
    assert task.grade(question, [SpanResponse("the door", 14, 27, -1.0)]).values["exact_match"] == 1.0
    assert task.grade(first(task), [GenerateResponse(" Door.")]).values == {"exact_match": 1.0, "f1": 1.0}
    (example,) = task.examples("train")
    assert (example.text, example.passage, example.span) == (QA["question"], QA["passage"], (23, 27))
    with pytest.raises(IncompatibleError, match="writes text or marks a span"):
        first(task, frozenset({TagRequest}))


def test_where_an_answer_stands_is_checked(make):
    assert make("extractive-question-answering", QA).samples("test")[0].form.span == (8, 12)
    absent = QA | {"answers": ["gate"]}
    assert make("extractive-question-answering", absent).samples("test")[0].form.span is None
    for start in (9, [9], "9", "x", None):
        with pytest.raises(TaskError, match=r"at answer_start stands|no value in column"):
            make("extractive-question-answering", QA | {"start": start}, answer_start="start")
    task = make("extractive-question-answering", QA | {"start": "8"}, answer_start="start")
    assert task.samples("test")[0].form.span == (8, 12)


@pytest.mark.parametrize("key", ["words", "passage", "entity_types"])
def test_new_keys_leave_old_fingerprints_alone(make, key):
    task = make("pair-matching", {"a": "x", "b": "y", "label": 0})
    assert key not in task.file.prompt_settings()
