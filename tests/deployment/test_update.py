"""`tianti update` from end to end on a small model: learns, keeps, refuses, restores."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tianti.api import run
from tianti.board.build import build_board
from tianti.core.exceptions import IncompatibleError, InputError, TaskError, UnknownNameError
from tianti.core.progress import Silent
from tianti.deployment import Lesson, Rules, deployed, learn_on, plan_update, restore_version, versions_of
from tianti.estimate import estimate
from tianti.store import Store
from tianti.tasks import load_tasks
from tianti.tasks.new import new_task

ENTRY = "nano:llama · lora(epochs=1, max_examples=64)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a small study; tests add to it and leave version 1 current."""
    folder = tmp_path_factory.mktemp("world") / "store"
    run(
        {
            "study": "small",
            "models": ["nano:llama", "baseline:majority"],
            "adaptations": ["zero-shot", "few-shot(k=2)", "lora(epochs=1, max_examples=64)"],
            "tasks": ["nano/sentiment", "nano/commonsense-zh"],
            "limit": 40,
            "workers": 1,
        },
        store=folder,
    )
    return folder


@pytest.fixture
def store(folder: Path) -> Any:
    with Store(folder) as opened:
        yield opened
        if opened.deployments.entries():
            restore_version(opened, ENTRY, 1)


def reviews(path: Path, count: int = 48, *, flipped: bool = False) -> Path:
    """New reviews with their labels, or with the wrong ones."""
    (task,) = load_tasks("nano/sentiment(seed=77)")
    other = {"positive": "negative", "negative": "positive"}
    rows = [
        {"text": row["text"], "label": other[row["label"]] if flipped else row["label"]}
        for row in task.rows("train")[:count]
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_new_task_is_learned_and_the_old_ones_answer_as_before(store: Store) -> None:
    found = learn_on(store, Lesson(ENTRY, task="nano/pairs", rules=Rules(margin=100)), Silent())
    assert found.promoted
    now = deployed(store, ENTRY)
    assert now == found.version
    assert [served.task for served in now.served] == ["nano/commonsense-zh", "nano/sentiment", "nano/pairs"]
    assert now.served[:2] == found.before.served
    assert [change.unchanged for change in found.changes] == [True, True, False]
    assert found.changes[2].role == "new"
    assert all(store.run(run_id).state == "finished" for each in now.served for run_id in each.runs)
    again = learn_on(store, Lesson(ENTRY, task="nano/pairs"), Silent())
    assert again.known
    assert again.version == found.version


def test_a_poisoned_file_is_refused_and_the_old_version_stays(store: Store, tmp_path: Path) -> None:
    before = deployed(store, ENTRY)
    lesson = Lesson(ENTRY, reviews(tmp_path / "bad.jsonl", 200, flipped=True), "nano/sentiment")
    found = learn_on(store, lesson, Silent())
    assert not found.promoted
    assert found.reason.startswith("nano/sentiment falls by ")
    assert deployed(store, ENTRY) == before
    assert versions_of(store, ENTRY).versions[-1] == found.version
    again = learn_on(store, lesson, Silent())
    assert (again.version, again.again, found.again) == (found.version, True, False), "recorded once"
    # Nobody is served by it, so it is no row of the board; what it did not change is.
    made = next(each.runs[0] for each in found.version.served if each.task == "nano/sentiment")
    shown = {
        run for entry in build_board(store).entries for cell in entry.cells.values() for run in cell.run_ids
    }
    assert made not in shown
    assert {run for each in before.served for run in each.runs} <= shown
    # Unless it is asked for: a study that holds its trial shows it, and so does the board of all.
    trial = store.run(made).trial_id
    store.record_study("asked", [trial], "")
    assert any(made in cell.run_ids for entry in build_board(store).entries for cell in entry.cells.values())


def test_test_samples_are_not_learned_unless_told_to(store: Store, tmp_path: Path) -> None:
    path = reviews(tmp_path / "leaked.jsonl", 2)
    (task,) = load_tasks("nano/sentiment")
    asked = [{"text": row["text"].upper(), "label": row["label"]} for row in task.rows("test")]
    # One of them, an empty line, a review that is new, and then the 40 that are asked and 20 beyond the limit.
    rows = [asked[0], None, json.loads(path.read_text().splitlines()[0]), *asked[:60]]
    path.write_text("".join(f"{json.dumps(row) if row else ''}\n" for row in rows))
    before, runs = deployed(store, ENTRY), store.runs()
    lesson = Lesson(ENTRY, path, "nano/sentiment", rules=Rules(margin=100))
    with pytest.raises(
        InputError,
        match=r"leaked.jsonl: lines 1, 4–63 \(61 of 62\) are test samples.* of nano/sentiment\n.*--allow-overlap",
    ):
        plan_update(store, lesson, tmp_path / "kept")
    # Of a new task, too, which asks other questions: the old ones must not be learned.
    with pytest.raises(InputError, match="nano/sentiment"):
        learn_on(store, replace(lesson, strategy="replay"), Silent())
    assert (deployed(store, ENTRY), store.runs()) == (before, runs)

    found = learn_on(store, replace(lesson, allow_overlap=True), Silent())
    (change,) = [change for change in found.changes if change.role == "new examples"]
    assert re.match(r"[1-9]\d? of 40 test items overlap ", change.overlap)  # of 64 that are drawn
    assert found.reason.endswith("; it has learned test samples of nano/sentiment, which flatters")
    assert found.version.changes[-1]["overlap"] == change.overlap
    assert learn_on(store, lesson, Silent()).known, "what was learned already is no new overlap"


def test_test_samples_of_a_new_task_are_not_learned(store: Store, tmp_path: Path) -> None:
    new_task("films", tmp_path)
    (task,) = load_tasks(str(tmp_path / "films.yaml"))
    data = {split: task.rows(split) for split in ("train", "test")}
    rows = [{key: row[key] for key in ("text", "label")} for row in data["test"][:3]]
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "".join(f"{json.dumps(row['text'])},{row['label']}\n" for row in rows))
    with pytest.raises(InputError, match=r"rows.csv: rows 1–3 \(3 of 3\) are test samples.* of films"):
        plan_update(store, Lesson(ENTRY, path, str(tmp_path / "films.yaml")), tmp_path / "kept")


def test_a_version_is_restored(store: Store, tmp_path: Path) -> None:
    lesson = Lesson(ENTRY, reviews(tmp_path / "new.jsonl"), "nano/sentiment", rules=Rules(margin=100))
    found = learn_on(store, lesson, Silent())
    assert deployed(store, ENTRY).number == found.version.number
    (adapted,) = [served for served in found.version.served if served.task == "nano/sentiment"]
    manifest = store.run(adapted.runs[0]).manifest
    assert "update(data=" in manifest["adaptation"]["label"]
    assert manifest["task"]["fingerprint"] == load_tasks("nano/sentiment")[0].fingerprint
    assert restore_version(store, ENTRY, 1).served == found.before.served
    assert deployed(store, ENTRY).number == 1


def test_planning_changes_nothing(store: Store, tmp_path: Path) -> None:
    runs = store.runs()
    lesson = Lesson(ENTRY, reviews(tmp_path / "n.jsonl"), "nano/sentiment", "replay")
    planned = plan_update(store, lesson, tmp_path / "kept")
    assert [trial.adaptation.name for trial in planned.plan.trials] == ["continual", "continual"]
    assert store.runs() == runs


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "Nice."}', r"bad.jsonl: line 4 has no value in column 'label'"),
        ('{"text": "Nice.", "label": "good"}', r"bad.jsonl: line 4.*good"),
        ('{"text": "Nice.", ', r"bad.jsonl: broken JSON in line 4, column"),
        ("[1]", r"bad.jsonl: line 4 is a list, expected an object"),
    ],
)
def test_a_malformed_file_is_told_by_line(store: Store, tmp_path: Path, line: str, message: str) -> None:
    path = reviews(tmp_path / "bad.jsonl", 2)
    path.write_text(path.read_text() + "\n" + line + "\n")
    before = store.deployments.entries()
    with pytest.raises(TaskError, match=message) as error:
        learn_on(store, Lesson(ENTRY, path, "nano/sentiment"), Silent())
    assert "the columns text, label" in str(error.value)
    assert store.deployments.entries() == before


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("baseline:majority · fit", "a baseline is fitted"),
        ("nano:llama · few-shot(k=2)", r"few-shot(.|\n)*update 'nano:llama · zero-shot'"),
    ],
)
def test_what_cannot_learn_is_refused_with_the_nearest_that_can(
    store: Store, entry: str, message: str
) -> None:
    with pytest.raises(IncompatibleError, match=message):
        learn_on(store, Lesson(entry, task="nano/pairs"), Silent())


def test_bad_input(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        deployed(store, "nano:llama · lora(epochs=1, max_examples=65)")
    with pytest.raises(InputError, match="nothing to learn is given"):
        learn_on(store, Lesson(ENTRY), Silent())
    with pytest.raises(InputError, match=r"is a task of .* already"):
        learn_on(store, Lesson(ENTRY, task="nano/sentiment"), Silent())
    with pytest.raises(UnknownNameError, match="replai"):
        learn_on(store, Lesson(ENTRY, task="nano/pairs", strategy="replai"), Silent())
    with pytest.raises(InputError, match="margin"):
        Rules(margin=-1)


def test_a_new_task_of_wrong_labels_is_refused_like_an_old_one(store: Store, tmp_path: Path) -> None:
    new_task("films", tmp_path)
    (task,) = load_tasks(str(tmp_path / "films.yaml"))
    other = dict(zip(task.file.doc_to_choice, reversed(task.file.doc_to_choice), strict=True))
    rows = [{"text": row["text"], "label": other[row["label"]]} for row in task.rows("test")]
    path = tmp_path / "upside-down.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows * 8))
    lesson = Lesson(ENTRY, path, str(tmp_path / "films.yaml"), rules=Rules(margin=0))
    found = learn_on(store, lesson, Silent())
    assert [change.role for change in found.changes] == ["old", "old", "new"]
    assert not found.promoted
    assert found.reason.startswith("films falls by ")
    # What was learned is in the store: the user's own files are no longer needed.
    assert Path(found.version.served[2].reference).is_relative_to(store.folder)


def test_more_examples_of_a_task_that_came_with_a_file_are_of_that_task(store: Store, tmp_path: Path) -> None:
    new_task("films", tmp_path)
    (task,) = load_tasks(str(tmp_path / "films.yaml"))
    path = tmp_path / "more.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in task.rows("train")))
    lesson = Lesson(ENTRY, path, str(tmp_path / "films.yaml"), rules=Rules(margin=100))
    first = learn_on(store, lesson, Silent())
    assert learn_on(store, lesson, Silent()).known
    path.write_text("".join(json.dumps(row) + "\n" for row in task.rows("train")[:2]))
    second = learn_on(store, lesson, Silent())
    assert [served.task for served in second.version.served] == [
        served.task for served in first.version.served
    ]
    assert second.changes[-1].role == "new examples"
    assert second.version.learned[:1] == first.version.learned


def test_one_model_for_all_learns_twice(tmp_path: Path) -> None:
    model = "nano:bert"  # whose tasks have heads of their own
    folder = tmp_path / "store"
    method = "lora(epochs=1, max_examples=32)"
    tasks = ["nano/sentiment", "nano/relations"]
    run(
        {"models": [model], "adaptations": [method], "tasks": tasks, "limit": 12, "seeds": [0, 1]},
        store=folder,
    )
    entry, loose = f"{model} · {method}", Rules(margin=100)
    with Store(folder) as store:
        first = learn_on(store, Lesson(entry, task="nano/pairs", strategy="replay", rules=loose), Silent())
        assert [change.unchanged for change in first.changes] == [False, False, False]
        assert all(len(served.runs) == 2 for served in first.version.served)
        stages = len(list(folder.rglob("adapted.json")))
        lesson = Lesson(entry, reviews(tmp_path / "new.jsonl", 16), "nano/sentiment", rules=loose)
        planned = plan_update(store, lesson).plan
        tokens = [line.training_tokens for line in estimate(planned.trials, planned.standing)]
        # Its new stage, once for each seed; three tasks are asked.
        assert [count > 0 for count in tokens] == [True, True, False, False, False, False]
        again = [line.training_tokens for line in estimate(planned.trials)]
        assert again[0] > 2 * tokens[0]
        second = learn_on(store, lesson, Silent())
        assert second.version.strategy == "replay"
        assert second.version.parent == 2
        # The stream goes on: one more stage for each seed, and none of the old ones again.
        assert len(list(folder.rglob("adapted.json"))) == stages + 2
        adaptation = store.run(second.version.served[0].runs[0]).manifest["adaptation"]
        assert [task["name"] for task in adaptation["stream"]] == [*tasks, "nano/pairs", "nano/sentiment"]
        # The row that it stands in on the board leads to the same entry.
        (row,) = [
            each
            for each in build_board(store).entries
            if "nano/pairs" in each.cells
            and each.cells["nano/pairs"].run_ids == second.version.served[2].runs
        ]
        assert deployed(store, row.name) == second.version
        with pytest.raises(IncompatibleError, match="no way to go on"):
            learn_on(
                store, replace(lesson, data=reviews(tmp_path / "n.jsonl", 4), strategy="separate"), Silent()
            )


def test_the_weights_of_a_model_that_trains_nothing_learn_by_a_method(store: Store, tmp_path: Path) -> None:
    entry = "nano:llama · zero-shot"
    lesson = Lesson(
        entry,
        reviews(tmp_path / "new.jsonl", 16),
        "nano/sentiment",
        method="full(epochs=1)",
        rules=Rules(margin=100),
    )
    found = learn_on(store, lesson, Silent())
    run_id = next(each.runs[0] for each in found.version.served if each.task == "nano/sentiment")
    assert store.run(run_id).manifest["adaptation"]["name"] == "full"
    with pytest.raises(IncompatibleError, match="leave --method out"):
        learn_on(store, replace(lesson, entry=ENTRY), Silent())
