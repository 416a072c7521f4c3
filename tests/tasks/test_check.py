from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import yaml

from tianti.core.exceptions import InputError
from tianti.tasks import load_tasks
from tianti.tasks.check import Lengths, Rendered, check_task

TRAIN = [
    {"text": "Good soup!", "label": "positive"},
    {"text": "Bad soup.", "label": "negative"},
    {"text": "good  SOUP", "label": "positive"},
    {"text": "Fine bread.", "label": "positive"},
]
TEST = [
    {"text": "bad soup", "label": "negative"},
    {"text": "Warm tea.", "label": "negative"},
    {"text": "Cold tea, cold cup.", "label": "negative"},
    {"text": "Old shoes.", "label": "negative"},
]


@pytest.fixture
def task_path(tmp_path):
    for split, rows in (("train", TRAIN), ("test", TEST)):
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    file = {
        "task": "reviews",
        "kind": "classification",
        "data": {"train": "train.jsonl", "test": "test.jsonl"},
        "doc_to_text": "{{text}} It is",
        "doc_to_target": "label",
        "doc_to_choice": ["negative", "positive"],
    }
    path = tmp_path / "reviews.yaml"
    path.write_text(yaml.safe_dump(file))
    return path


def change(path, **keys):
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | keys))
    return path


def test_numbers_that_are_read_as_places_are_told(task_path):
    said = "numbers in column 'label' are places in doc_to_choice: 0 = negative, 1 = positive"
    assert said not in check_task(task_path).warnings
    for split in ("train", "test"):
        rows = [{"text": row["text"], "label": number % 2} for number, row in enumerate(TEST)]
        (task_path.parent / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert said in check_task(task_path).warnings
    assert said not in check_task(change(task_path, doc_to_choice=["0", "1"])).warnings


def test_rows_without_a_text_are_named(task_path):
    assert not any("nothing in column" in warning for warning in check_task(task_path).warnings)
    rows = [*TEST, *({"id": str(number), "text": " " * number, "label": "positive"} for number in range(7))]
    lines = "\n".join(f'"{row["text"]}",{row["label"]}' for row in rows)
    (task_path.parent / "test.csv").write_text(f"text,label\n{lines}\n")
    change(task_path, data={"train": "train.jsonl", "test": "test.csv"}, head_text="text")
    warnings = check_task(task_path).warnings
    for key in ("doc_to_text", "head_text"):
        assert f"split test: 7 rows with nothing in column 'text' of {key}: 5, 6, 7, 8, 9, …" in warnings
    (task_path.parent / "test.csv").write_text("text,label\n,positive\ngood,positive\n")
    assert (
        "split test: 1 row with nothing in column 'text' of doc_to_text: 1" in check_task(task_path).warnings
    )


def test_a_count_that_is_zero_is_something(task_path):
    (task_path.parent / "test.jsonl").write_text('{"text": 0, "label": "positive"}\n')
    assert not any("nothing in column" in warning for warning in check_task(task_path).warnings)


def test_what_a_check_counts(task_path):
    checked = check_task(task_path, lambda texts: [len(text.split()) for text in texts])
    train, test = checked.splits
    assert (train.split, train.samples, train.labels) == ("train", 4, {"negative": 1, "positive": 3})
    assert (test.split, test.samples, test.labels) == ("test", 4, {"negative": 4})
    assert (train.duplicates, train.overlap) == (1, 0)
    assert (test.duplicates, test.overlap) == (0, 1)
    lengths = sorted(len(f"{row['text']} It is{row['label']}") for row in TEST)
    assert test.characters == Lengths(lengths[0], (lengths[1] + lengths[2]) / 2, lengths[3])
    assert test.tokens == Lengths(4, 4.0, 6)
    assert checked.prompts[0] == Rendered("0", "bad soup It is", "negative")
    assert len(checked.prompts) == 3
    assert checked.fingerprint == load_tasks(str(task_path))[0].fingerprint
    json.dumps(asdict(checked))


def test_what_a_check_warns_of(task_path):
    warnings = "\n".join(check_task(task_path).warnings)
    for expected in (
        "test has 4 samples",
        "train has 1 duplicates",
        "1 samples of split test stand in train too",
        "split test knows only one right answer: negative",
    ):
        assert expected in warnings
    assert len(warnings.splitlines()) == 4


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"data": "test.jsonl"}, "no split train"),
        ({"language": "zh"}, "a space before the answer"),
        ({"doc_to_text": "{{text}} "}, "the model sees two"),
        ({"target_delimiter": ""}, "target_delimiter is empty"),
    ],
)
def test_warnings_about_a_file(task_path, keys, expected):
    assert any(expected in warning for warning in check_task(change(task_path, **keys)).warnings)


def test_multiple_choice_counts_positions_and_shows_choices(tmp_path):
    rows = [{"q": "a?", "c": ["x", "y"], "a": 1}, {"q": "a?", "c": ["y", "z"], "a": 1}]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = change_new(tmp_path, "multiple-choice", doc_to_text="q", doc_to_choice="c", doc_to_target="a")
    checked = check_task(path)
    assert checked.splits[0].labels == {"choice 2": 2}
    assert checked.splits[0].duplicates == 0
    assert checked.prompts[0] == Rendered("0", "a?", "y", ("x", "y"))


def test_the_lengths_of_a_whole_text_are_its_own(tmp_path):
    (tmp_path / "test.jsonl").write_text('{"t": "one two"}\n{"t": "one, TWO"}')
    checked = check_task(change_new(tmp_path, "language-modelling", doc_to_target="t"))
    assert checked.splits[0].characters == Lengths(7, 7.5, 8)
    assert checked.splits[0].duplicates == 1


def change_new(folder, kind, **keys):
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"task": "mine", "kind": kind, "data": "test.jsonl"} | keys))
    return path


@pytest.mark.parametrize("name", ["nano/sentiment", "nano/commonsense-zh", "nano/qa"])
def test_the_library_passes(name):
    assert check_task(name).warnings == ()


def test_any_other_task_is_checked_through_the_protocol(task_path, monkeypatch):
    """A task of the bridge gives questions and examples only."""
    (task,) = load_tasks(str(task_path))
    monkeypatch.setattr("tianti.tasks.check.YamlTask", type("Other", (), {}))
    monkeypatch.setattr("tianti.tasks.check.load_tasks", lambda reference: [task])
    train, test = check_task("anything").splits
    assert (train.samples, train.duplicates) == (4, 1)
    assert (test.samples, test.overlap) == (4, 1)


def test_a_group_is_refused(task_path, monkeypatch):
    (task,) = load_tasks(str(task_path))
    monkeypatch.setattr("tianti.tasks.check.load_tasks", lambda reference: [task, task])
    with pytest.raises(InputError, match=r"names 2 tasks.*\n.*take one of reviews, reviews"):
        check_task("harness:mmlu")
