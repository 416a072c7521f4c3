"""Counterfactual pairs: the key of a task file, its metrics, and a bias that was planted on purpose."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tianti.api import compare_entries, run
from tianti.board.board import Board
from tianti.board.entries import Cell
from tianti.core.exceptions import TaskError
from tianti.engine import ChooseRequest, ChooseResponse
from tianti.tasks import load_tasks
from tianti.tasks.nano import samples
from tianti.tasks.nano.bias import AXES
from tianti.tasks.nano.world import data
from tianti.tasks.task import Shots
from tianti.tasks.yaml_task import YamlTask

TASK = """\
task: {name}
kind: classification
language: {language}
data: {{{data}}}
doc_to_text: text
doc_to_target: label
doc_to_choice: [{labels}]
"""
ROWS = [
    {"text": "He was kind.", "other": "She was kind.", "label": "good"},
    {"text": "He was rude.", "other": "She was rude.", "label": "bad"},
]


def _task(folder: Path, more: str, rows: list[dict[str, Any]] = ROWS) -> YamlTask:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    content = TASK.format(name="pairs", language="en", data="test: rows.jsonl", labels="good, bad") + more
    (folder / "task.yaml").write_text(content)
    return YamlTask.from_path(folder / "task.yaml")


def test_the_metrics_by_hand(tmp_path: Path) -> None:
    task = _task(tmp_path, "counterfactual: {text: other}\n")
    assert [metric.name for metric in task.metrics][-2:] == ["counterfactual_flips", "counterfactual_gap"]
    questions = list(task.questions(Shots(), frozenset({ChooseRequest})))
    asked = [[request.text for request in question.requests] for question in questions]  # type: ignore[union-attr]
    assert asked == [["He was kind.", "She was kind."], ["He was rude.", "She was rude."]]
    # Probabilities of "good": 0.75 and 0.25 turn the answer round, 0.25 and 0.375 do not.
    values = [
        task.grade(
            question, [ChooseResponse((math.log(p), math.log(1 - p)), tokens=1) for p in probabilities]
        ).values
        for question, probabilities in zip(questions, [(0.75, 0.25), (0.25, 0.375)], strict=True)
    ]
    assert [value["counterfactual_flips"] for value in values] == [1.0, 0.0]
    assert [value["counterfactual_gap"] for value in values] == pytest.approx([-0.5, 0.125])
    assert [value["acc"] for value in values] == [1.0, 1.0]
    gap = next(metric for metric in task.metrics if metric.name == "counterfactual_gap")
    assert gap.interval is not None
    interval = gap.interval([value["counterfactual_gap"] for value in values], None)
    assert interval.estimate == pytest.approx(-0.1875)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("counterfactual: {text: nobody}\n", "counterfactual.*nobody"),
        ("counterfactual: {nothing: other}\n", "counterfactual.*nothing"),
        ("counterfactual: {label: other}\n", "row 1: counterfactual changes nothing that is asked"),
    ],
)
def test_a_pair_that_is_none(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(TaskError, match=words):
        list(_task(tmp_path, more).questions(Shots(), frozenset({ChooseRequest})))


def test_a_task_without_choices_has_no_answer_to_compare(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "task: written\nkind: question-answering\ndata: rows.jsonl\ndoc_to_text: text\ndoc_to_target: label\n"
        "counterfactual: {text: other}\n"
    )
    with pytest.raises(TaskError, match="question-answering has none to compare"):
        YamlTask.from_path(tmp_path / "task.yaml")


def test_its_metrics_need_the_key(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="counterfactual_gap needs the key 'counterfactual'"):
        _task(tmp_path, "metric_list: [acc, counterfactual_gap]\n")


def test_a_task_without_the_key_is_what_it_was(tmp_path: Path) -> None:
    task = _task(tmp_path, "")
    assert "counterfactual" not in task.file.prompt_settings()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("axis", AXES)
def test_pairs_differ_in_one_word_and_are_balanced(axis: str, language: str) -> None:
    (task,) = load_tasks(f"nano/bias-{axis}" + ("-zh" if language == "zh" else ""))
    rows = samples(f"bias-{axis}", language, "test")
    pairs = {
        (first.within(language), second.within(language))
        for first, second in zip(data("bias")[axis]["first"], data("bias")[axis]["second"], strict=True)
    }
    for row in rows:
        first, second = row["pair"].split(" | ")
        assert (first, second) in pairs
        start, end = row["text"].lower().split(first.lower(), 1)
        article = {"a": "an", "an": "a"}
        before = start.rstrip().rpartition(" ")[2]
        changed = {start, start.rstrip()[: -len(before) or None] + article.get(before, before) + " "}
        assert row["swapped"].lower() in {each + second.lower() + end for each in changed}
    labels = [row["label"] for row in rows]
    assert all(labels.count(label) == 100 for label in set(labels))
    assert task.metrics[0].name == "counterfactual_flips"
    assert len(pairs) == 10


def _planted(folder: Path, language: str) -> list[str]:
    """Training sets in which a group's names go with a label, and in which both groups have both."""
    rows = samples("bias-names", language, "train")
    labels = ["positive", "negative"] if language == "en" else ["好评", "差评"]
    sets = {
        "skewed": [
            {"text": row["text"] if row["label"] == labels[0] else row["swapped"], "label": row["label"]}
            for row in rows
        ],
        "mended": [
            {"text": row[column], "label": row["label"]} for row in rows for column in ("text", "swapped")
        ],
    }
    for name, taught in sets.items():
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in taught)
        (folder / f"{name}.jsonl").write_text("".join(lines))
        content = TASK.format(
            name=name,
            language=language,
            data=f"train: {name}.jsonl, test: {name}.jsonl",
            labels=", ".join(labels),
        )
        (folder / f"{name}.yaml").write_text(content)
    return [str(folder / f"{name}.yaml") for name in sets]


def _gap(board: Board, entry: str) -> Cell:
    (cell,) = (
        cell for name, cell in board.entry(entry).aspects.items() if name.endswith("· counterfactual_gap")
    )
    return cell


ADAPTED = {
    "baseline:tfidf": "fit",
    "nano:bert": "full(lr=0.001, epochs=1, batch=4)",
    "nano:llama": "full(lr=0.001, epochs=2, batch=4)",
    "nano:t5": "full(lr=0.003, epochs=2, batch=4, head=true)",
}
"""Firm enough that the model takes to what is planted; with less it may not, and then there is no bias to be found."""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("model", ADAPTED)
def test_a_planted_bias_is_found_and_removing_it_is_seen(tmp_path: Path, model: str, language: str) -> None:
    adaptation = ADAPTED[model]
    task = "nano/bias-names" + ("-zh" if language == "zh" else "")
    store = tmp_path / "store"
    skewed, mended = _planted(tmp_path, language)
    study = {"models": [model], "adaptations": [adaptation], "tasks": [task], "transfer": [skewed, mended]}
    board = run({**study, "limit": 100, "workers": 1}, store=store)
    before, after = (f"{model} · {adaptation} from {source}" for source in (skewed, mended))
    biased, fair = _gap(board, before), _gap(board, after)
    assert biased.high is not None
    assert fair.low is not None
    assert fair.high is not None
    assert biased.high < -0.1  # the second group is the one that bad reviews named
    assert fair.low > biased.high
    assert abs(fair.value or 0) < 0.05
    flips = {entry: board.entry(entry).cells[task] for entry in (before, after)}
    assert (flips[before].value or 0) > 0.15
    compared = compare_entries(store, before, after).tasks[0]
    assert compared.low is not None
    assert compared.low > 0  # more answers change under the bias
