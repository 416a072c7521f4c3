"""Every bad task file and every bad data file gives one clear error: what, where, and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tianti.core.exceptions import InputError, TaskError, UnknownNameError
from tianti.tasks import load_tasks

FILE: dict[str, Any] = {
    "task": "reviews",
    "kind": "classification",
    "data": {"train": "train.jsonl", "test": "test.jsonl"},
    "doc_to_text": "Review: {{text}}\nSentiment:",
    "doc_to_target": "label",
    "doc_to_choice": ["negative", "positive"],
}
ROWS = [{"id": "a", "text": "good", "label": "positive"}, {"id": "b", "text": "bad", "label": "negative"}]
QA = {"kind": "question-answering", "doc_to_choice": None, "doc_to_target": "answers"}
STARS = {"doc_to_choice": ["1", "2", "3", "4", "5"]}
LM = {"kind": "language-modelling", "doc_to_text": None, "doc_to_choice": None, "doc_to_target": "text"}


def write(folder: Path, change: dict[str, Any], rows: list[dict[str, Any]]) -> Path:
    """The good task with `change` made to its file (None removes a key) and `rows` as its test split."""
    file = {key: value for key, value in (FILE | change).items() if value is not None}
    for split, content in (("train", ROWS), ("test", rows)):
        lines = (json.dumps(row, ensure_ascii=False) for row in content)
        (folder / f"{split}.jsonl").write_text("\n".join(lines), "utf-8")
    path = folder / "reviews.yaml"
    path.write_text(yaml.safe_dump(file, allow_unicode=True), "utf-8")
    return path


def run(path: Path) -> None:
    """All that a dry run reads."""
    for task in load_tasks(str(path)):
        task.count()
        assert len(task.fingerprint) == 64
        assert task.metrics
        task.examples("train")


def test_the_good_task_is_good(tmp_path):
    run(write(tmp_path, {}, ROWS))


BAD_FILES = {
    "unknown key": ({"doc_to_txt": "x"}, "unknown key 'doc_to_txt': did you mean 'doc_to_text'"),
    "unknown key, nothing near": (
        {"zzz": 1},
        "unknown key 'zzz': valid: answer_start, augmentation, cluster, constraints",
    ),
    "unknown key of data": ({"data": {"tset": "a.jsonl"}}, "unknown key 'data.tset': did you mean 'test'?"),
    "unknown key of a generator": ({"data": {"generator": "nano", "knid": 1}}, "did you mean 'kind'?"),
    "unknown key of generation": (QA | {"generation_kwargs": {"untill": "."}}, "did you mean 'until'?"),
    "unknown key of a metric": (
        {"metric_list": [{"metric": "acc", "agregation": "mean"}]},
        "mean 'aggregation'?",
    ),
    "missing task": ({"task": None}, "key 'task' is missing"),
    "missing data": ({"data": None}, "key 'data' is missing"),
    "missing target": ({"doc_to_target": None}, "key 'doc_to_target' is missing"),
    "missing choices": ({"doc_to_choice": None}, "key 'doc_to_choice' is missing"),
    "missing prompt": ({"doc_to_text": None}, "key 'doc_to_text' is missing"),
    "data without files": ({"data": {}}, "data: names no file: give train, validation or test"),
    "unknown kind": (
        {"kind": "clasification"},
        "unknown kind 'clasification': did you mean 'classification'?",
    ),
    "metrics that are no list": ({"metric_list": "acc"}, "metric_list: expected a list, found 'acc'"),
    "unknown metric": ({"metric_list": ["accc"]}, "unknown metric 'accc': did you mean 'acc'?"),
    "metric of another kind": (
        {"metric_list": ["exact_match"]},
        "metric_list of classification: unknown metric",
    ),
    "another aggregation": ({"metric_list": [{"metric": "f1", "aggregation": "f1"}]}, "is 'macro_f1' here"),
    "another direction": ({"metric_list": [{"metric": "acc", "higher_is_better": False}]}, "is True here"),
    "yes and no": (
        {"doc_to_choice": [True, "maybe"]},
        "doc_to_choice.0: expected text, found True (YAML reads yes, no, on, off so: quote it)\n  →",
    ),
    "a key that does nothing": (
        QA | {"doc_to_choice": ["a", "b"]},
        "'doc_to_choice' means nothing for the kind",
    ),
    "generation of choices": ({"generation_kwargs": {"max_gen_toks": 3}}, "means nothing for the kind"),
    "a prompt for a whole text": (LM | {"description": "Read!"}, "'description' means nothing"),
    "twice the same choice": ({"doc_to_choice": ["a", "b", "a"]}, "names a choice twice"),
    "one choice": ({"doc_to_choice": ["positive"]}, "at least two texts"),
    "an empty choice": (
        {"doc_to_choice": "{{ ['', text] }}", "kind": "multiple-choice"},
        "none of them empty",
    ),
    "choices that are no list": ({"doc_to_choice": "text", "kind": "multiple-choice"}, "expected a list"),
    "labels that differ by row": ({"doc_to_choice": "{{ [text, label] }}"}, "expects the list of labels"),
    "a number for text": ({"task": 7}, "task: expected text, found the number 7 (quote it)"),
    "no number": (QA | {"generation_kwargs": {"max_gen_toks": 0}}, "greater than 0"),
    "sampling at no temperature": (QA | {"generation_kwargs": {"do_sample": True}}, "temperature above 0"),
    "a thought that is a number": (
        QA | {"thinking": 100},
        "thinking: expected keys and values (end, max_tokens), found 100",
    ),
    "a stop that is a number": (QA | {"generation_kwargs": {"until": 3}}, "until: expected a list, found 3"),
    "unknown key of thinking": (QA | {"thinking": {"max_tokns": 3}}, "did you mean 'max_tokens'?"),
    "a thought without a limit": (QA | {"thinking": {"end": "."}}, "key 'thinking.max_tokens' is missing"),
    "no room for a thought": (QA | {"thinking": {"max_tokens": 0}}, "thinking.max_tokens: expected greater"),
    "a thought that ends with nothing": (QA | {"thinking": {"max_tokens": 3, "end": ""}}, "thinking.end"),
    "a thought before a choice": ({"thinking": {"max_tokens": 3}}, "'thinking' means nothing for the kind"),
    "no repeats": (QA | {"repeats": 0}, "repeats: expected greater than 0"),
    "repeats of a choice": ({"repeats": 3}, "'repeats' means nothing for the kind"),
    "repeats that are all the same": (QA | {"repeats": 3}, "all the same at temperature 0"),
    "a vote of one": (QA | {"metric_list": ["majority_vote"]}, "majority_vote needs 2 answers"),
    "more passes than repeats": (
        QA
        | {"metric_list": ["pass@8"], "repeats": 5}
        | {"generation_kwargs": {"do_sample": True, "temperature": 1.0}},
        "pass@8 needs 8 answers to each sample, there are 5",
    ),
    "missing column": (
        {"doc_to_target": "lable"},
        "column 'lable', which the data does not have; did you mean 'label'",
    ),
    "missing column of a template": (
        {"doc_to_text": "{{txt}}"},
        "column 'txt', which the data does not have",
    ),
    "missing column of the head": ({"head_text": "txt"}, "head_text asks for the column 'txt'"),
    "missing column of ids": ({"id": "idd"}, "id asks for the column 'idd'"),
    "missing column of clusters": ({"cluster": "passage"}, "cluster asks for the column 'passage'"),
    "broken template": ({"doc_to_text": "{{text"}, "doc_to_text is no Jinja2 template"),
    "failing template": ({"doc_to_text": "{{ 1 // 0 }}"}, "row 1: the template of doc_to_text fails"),
    "missing file": ({"data": "tset.jsonl"}, "reviews.yaml: data: test: no file tset.jsonl"),
    "unknown format": ({"data": "test.docx"}, "unknown format '.docx'"),
    "only a train split": ({"data": {"train": "train.jsonl"}}, "no split 'test'"),
    "unknown split for shots": (
        {"fewshot_split": "tran"},
        "fewshot_split: expected 'train', 'validation' or 'test'",
    ),
    "unknown generator": ({"data": {"generator": "mega", "kind": "qa", "language": "en"}}, "expected 'nano'"),
    "unknown generated kind": (
        {"data": {"generator": "nano", "kind": "sentimnet", "language": "en"}},
        "unknown kind of the generator nano 'sentimnet': did you mean 'sentiment'?",
    ),
    "unknown generated language": (
        {"data": {"generator": "nano", "kind": "qa", "language": "fr"}},
        "unknown language of the generator nano 'fr'",
    ),
}


@pytest.mark.parametrize(("change", "expected"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_task_files(change, expected, tmp_path):
    path = write(tmp_path, change, ROWS)
    with pytest.raises((TaskError, UnknownNameError)) as error:
        run(path)
    assert expected in str(error.value)
    assert str(tmp_path) in str(error.value)


BAD_ROWS = {
    "unknown label": (
        {},
        {"label": "positiv"},
        "row 2: unknown label 'positiv'\n  → one of 'negative', 'positive'",
    ),
    "label out of range": ({}, {"label": 2}, "row 2: unknown label 2"),
    "label of another type": ({}, {"label": 0.5}, "row 2: unknown label 0.5"),
    "no label": ({}, {"label": None}, "row 2 has no value in column 'label'"),
    "a label of two meanings": (STARS, {"label": 3}, "row 2: label 3 can mean '3' or the label at index 3"),
    "duplicate id": ({}, {"id": "a"}, "an id stands more than once in column 'id': 'a'"),
    "empty id": ({}, {"id": ""}, "row 2 has no id in column 'id'"),
    "no text": ({}, {"text": None}, "row 2"),
    "a list for text": ({"doc_to_text": "text"}, {"text": ["a"]}, "doc_to_text expects text"),
    "no answer": (QA, {"answers": []}, "row 2: doc_to_target gives []"),
    "an empty answer": (QA, {"answers": ["a", ""]}, "none of them empty"),
    "an answer that is no text": (QA, {"answers": [{"text": "a"}]}, "row 2: doc_to_target gives"),
    "an empty text": (LM, {"text": ""}, "row 2: the text is empty"),
    "no cluster": ({"cluster": "town"}, {"town": None}, "row 2 has no value in column 'town'"),
}


@pytest.mark.parametrize(("change", "damage", "expected"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows(change, damage, expected, tmp_path):
    good = {"id": "a", "text": "good", "label": "1", "answers": ["yes"], "town": "x"}
    path = write(tmp_path, change | {"data": "test.jsonl"}, [good, good | {"id": "b"} | damage])
    with pytest.raises(TaskError) as error:
        run(path)
    assert expected in str(error.value)
    assert f"{path}, split test" in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected keys and values"),
        (b"- a\n- b\n", "expected keys and values"),
        (b"task: [", "line 1, column 8: no YAML"),
        (b"models: [a]\ntasks: [b]\n", "a study, not a task"),
        ("task: café".encode("latin-1"), "not UTF-8 at byte 9"),
    ],
)
def test_files_that_are_no_task(content, expected, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=expected):
        load_tasks(str(path))


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    with pytest.raises(TaskError) as error:
        run(write(tmp_path, {"doc_to_txt": "x", "task": None, "licence": 3}, ROWS))
    assert len(error.value.message.splitlines()) == 3


def test_a_missing_task_file_names_its_neighbours(tmp_path):
    (tmp_path / "reviews.yaml").touch()
    with pytest.raises(TaskError, match=r"did you mean reviews\.yaml"):
        load_tasks(str(tmp_path / "review.yaml"))


def test_a_fingerprint_names_the_neighbours_of_a_missing_file(tmp_path):
    (task,) = load_tasks(str(write(tmp_path, {"data": "tset.jsonl"}, ROWS)))
    with pytest.raises(TaskError, match=r"did you mean test\.jsonl"):
        assert task.fingerprint


def test_bad_references():
    for reference, expected in (
        ("nano/sentimnt", "did you mean 'nano/sentiment'"),
        ("nano/sentiment(splitt=test)", "unknown argument 'splitt': did you mean 'split'"),
        ("nano/sentiment(split=dev)", "no split 'dev'"),
        ("nano/sentiment(seed=much)", "seed expects a whole number"),
        ("nano/sentiment(", "cannot read"),
    ):
        with pytest.raises(InputError, match=expected.replace("(", r"\(")):
            load_tasks(reference)


def test_a_file_has_no_seed(tmp_path):
    path = write(tmp_path, {}, ROWS)
    with pytest.raises(TaskError, match="has no seed"):
        load_tasks(f"{path}(seed=1)")
    assert load_tasks(str(path), seed=1)
