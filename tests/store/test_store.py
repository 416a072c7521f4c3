from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tianti.core.exceptions import StoreError, UnknownNameError
from tianti.store import Store
from tianti.store import store as store_module


def finished(store, make, trial, count=3, **kwargs):
    run = store.start_run(trial, {"trial": trial}, {})
    store.append(run.run_id, make.answers(count))
    return store.finish_run(run.run_id, [make.score()], {}, count)


def test_a_run_from_start_to_finish(store, make, trial):
    assert store.find_run(trial) is None
    run = store.start_run(trial, {"model": "nano:llama", "lr": 1.0}, {"torch": "2.13"})
    assert (run.state, run.attempts, run.answers_count, run.finished_at) == ("running", 1, 0, None)
    assert run.manifest == {"model": "nano:llama", "lr": 1.0}
    assert store.find_run(trial) == run

    answers = [*make.answers(4), make.answer(4, state="error", reason="NaN"), make.answer(5, state="skipped")]
    store.append(run.run_id, answers[:2])
    store.append(run.run_id, answers[2:])
    store.append(run.run_id, [])
    assert store.answers(run.run_id) == answers
    done = store.finish_run(run.run_id, [make.score()], {"seconds": 1.5}, expected=6)

    assert (done.state, done.answers_count, done.errors_count, done.skipped_count) == ("finished", 6, 1, 1)
    assert done.cost == {"seconds": 1.5}
    assert done.environment == {"torch": "2.13"}
    assert done.finished_at is not None
    assert done.finished_at > done.started_at
    assert store.find_run(trial) == done == store.run(run.run_id)
    assert store.answers(run.run_id) == answers
    assert store.answered(run.run_id) == {(answer.sample_id, 0) for answer in answers}
    assert store.scores(run.run_id) == [make.score()]


def test_what_was_stored_is_there_when_the_store_is_opened_again(tmp_path, make, trial):
    with Store(tmp_path) as store:
        finished(store, make, trial)
        open_run = store.start_run("cd" * 32, {}, {})
        store.append(open_run.run_id, make.answers(2))
        before = store.runs()
    with Store(tmp_path) as store:
        assert store.runs() == before
        assert store.answers(open_run.run_id) == make.answers(2)


def test_answers_come_in_the_order_of_the_data(store, make, trial):
    run = store.start_run(trial, {}, {})
    disorder = [make.answer(2), make.answer(0, repeat=1), make.answer(1), make.answer(0)]
    store.append(run.run_id, disorder)
    order = [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert [(answer.position, answer.repeat) for answer in store.answers(run.run_id)] == order
    store.finish_run(run.run_id, [], {}, 4)
    assert [(answer.position, answer.repeat) for answer in store.answers(run.run_id)] == order


def test_an_unfinished_run_is_resumed_with_its_answers(store, make, trial):
    first = store.start_run(trial, {}, {"host": "a"})
    store.append(first.run_id, make.answers(2))
    again = store.start_run(trial, {}, {"host": "b"})
    assert (again.run_id, again.attempts, again.environment) == (first.run_id, 2, {"host": "b"})
    assert again.started_at == first.started_at
    assert store.answered(again.run_id) == {("样本-0", 0), ("样本-1", 0)}
    attempts = store.attempts(first.run_id)
    assert [(attempt.number, attempt.environment["host"]) for attempt in attempts] == [(1, "a"), (2, "b")]


def test_a_failed_run_keeps_its_answers_and_may_start_again(store, make, trial):
    run = store.start_run(trial, {}, {})
    store.append(run.run_id, make.answers(2))
    failed = store.fail_run(run.run_id, "LoRA does not fit a baseline")
    assert (failed.state, failed.reason) == ("failed", "LoRA does not fit a baseline")
    assert failed.finished_at is not None
    assert store.find_run(trial) == failed
    with pytest.raises(StoreError, match="is failed, not running"):
        store.append(run.run_id, [make.answer(9)])
    again = store.start_run(trial, {}, {})
    assert (again.run_id, again.state, again.reason, again.finished_at) == (run.run_id, "running", "", None)
    assert len(store.answers(run.run_id)) == 2


def test_a_second_run_of_a_trial_supersedes_the_first_when_it_is_finished(store, make, trial):
    first = finished(store, make, trial)
    second = store.start_run(trial, {}, {})
    assert second.run_id != first.run_id
    assert store.find_run(trial) == first
    store.append(second.run_id, make.answers(1))
    second = store.finish_run(second.run_id, [make.score(value=0.9)], {}, 1)
    assert second.supersedes == first.run_id
    assert store.find_run(trial) == second
    third = finished(store, make, trial)
    assert third.supersedes == second.run_id
    assert store.find_run(trial) == third
    assert [run.run_id for run in store.runs()] == [first.run_id, second.run_id, third.run_id]


def test_an_answer_is_stored_once(store, make, trial):
    run = store.start_run(trial, {}, {})
    store.append(run.run_id, make.answers(2))
    with pytest.raises(StoreError, match="already has answer 0 to sample '样本-1'"):
        store.append(run.run_id, [make.answer(5), make.answer(1)])
    with pytest.raises(StoreError, match="already has answer 0 to sample '样本-7'"):
        store.append(run.run_id, [make.answer(7), make.answer(7)])
    # All or none: neither sample 5 nor sample 7 came in, and the counts say so.
    assert store.answers(run.run_id) == make.answers(2)
    assert store.run(run.run_id).answers_count == 2
    store.append(run.run_id, [make.answer(1, repeat=1)])
    assert store.run(run.run_id).answers_count == 3


@pytest.mark.parametrize("expected", [2, 4])
def test_a_run_with_the_wrong_number_of_answers_is_not_finished(store, make, trial, expected):
    run = store.start_run(trial, {}, {})
    store.append(run.run_id, make.answers(3))
    with pytest.raises(StoreError, match=f"it has 3 of {expected} answers"):
        store.finish_run(run.run_id, [], {}, expected)
    assert store.run(run.run_id).state == "running"
    assert not list((store.folder / "parts").iterdir())


def test_an_answer_that_comes_while_a_run_is_sealed_is_not_lost(store, make, trial, monkeypatch):
    run = store.start_run(trial, {}, {})
    store.append(run.run_id, make.answers(3))
    draft_part = store_module.draft_part

    def meanwhile(folder, answers):
        with Store(store.folder) as other:
            other.append(run.run_id, [make.answer(3)])
        return draft_part(folder, answers)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "draft_part", meanwhile)
        with pytest.raises(StoreError, match="was changed by another process"):
            store.finish_run(run.run_id, [], {}, 3)
    assert store.answers(run.run_id) == make.answers(4)
    assert store.finish_run(run.run_id, [], {}, 4).answers_count == 4


def test_a_finished_run_is_closed(store, make, trial):
    run = finished(store, make, trial)
    for change in (
        lambda: store.append(run.run_id, [make.answer(9)]),
        lambda: store.finish_run(run.run_id, [], {}, 3),
        lambda: store.fail_run(run.run_id, "no"),
    ):
        with pytest.raises(StoreError, match="is finished, not running"):
            change()
    assert store.answers(run.run_id) == make.answers(3)


def test_a_run_without_answers_can_be_finished(store, trial):
    run = store.start_run(trial, {}, {})
    assert store.finish_run(run.run_id, [], {}, 0).state == "finished"
    assert store.answers(run.run_id) == []


def test_an_unknown_run_is_named_with_the_nearest(store, make, trial):
    run = finished(store, make, trial)
    wrong = run.run_id[:-1] + "x"
    with pytest.raises(UnknownNameError, match=f"unknown run '{wrong}': did you mean '{run.run_id}'"):
        store.run(wrong)
    with pytest.raises(StoreError, match="is not in this store"):
        store.append(wrong, [make.answer(1)])


def test_scores_are_added_to_and_never_changed(store, make, trial):
    run = store.start_run(trial, {}, {})
    with pytest.raises(StoreError, match="is not finished"):
        store.add_scores(run.run_id, [make.score()])
    store.finish_run(run.run_id, [make.score(), make.score("f1", None, main=False)], {}, 0)
    store.add_scores(run.run_id, [make.score(value=0.5)])
    store.add_scores(run.run_id, [make.score(value=0.25)])
    assert store.scores(run.run_id) == [make.score("f1", None, main=False), make.score(value=0.25)]
    with store._read("look") as connection:
        history = connection.exec_driver_sql("SELECT value, supersedes FROM score ORDER BY score_id").all()
    assert [tuple(row) for row in history] == [(1 / 3, None), (None, None), (0.5, 1), (0.25, 3)]


def test_scores_that_are_no_numbers_are_refused(store, make, trial):
    run = store.start_run(trial, {}, {})
    for score in (make.score(value=float("nan")), make.score(high=float("inf"))):
        with pytest.raises(StoreError, match=r"of the score 'acc' is (nan|inf)"):
            store.finish_run(run.run_id, [score], {}, 0)
    with pytest.raises(StoreError, match="two scores for 'acc'"):
        store.finish_run(run.run_id, [make.score(), make.score()], {}, 0)
    assert store.run(run.run_id).state == "running"
    assert store.finish_run(run.run_id, [make.score()], {}, 0).state == "finished"


def test_the_newest_record_of_a_study_counts(store, make):
    runs = {name: finished(store, make, name * 64) for name in "abc"}
    store.record_study("small", ["a" * 64, "b" * 64], "study: small")
    store.record_study("other", ["c" * 64], "study: other")
    store.record_study("small", ["a" * 64, "b" * 64], "study: small")
    assert [record.name for record in store.studies()] == ["small", "other"]
    assert store.runs("small") == [runs["a"], runs["b"]]
    store.record_study("small", ["c" * 64, "b" * 64], "study: small, changed")
    newest = store.studies()[-1]
    assert (newest.name, newest.trial_ids) == ("small", ("c" * 64, "b" * 64))
    assert newest.text == "study: small, changed"
    assert store.runs("small") == [runs["b"], runs["c"]]
    with pytest.raises(UnknownNameError, match="unknown study 'smal': did you mean 'small'"):
        store.runs("smal")


def test_a_study_may_have_trials_that_never_ran(store):
    store.record_study("empty", [], "")
    store.record_study("planned", ["a" * 64], "")
    assert store.runs("empty") == store.runs("planned") == []


def test_equal_answers_are_one_file(store, make):
    for trial in ("a" * 64, "b" * 64):
        finished(store, make, trial)
    assert len(list((store.folder / "parts").iterdir())) == 1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda part: part.unlink(), "are gone"),
        (lambda part: part.write_bytes(part.read_bytes() + b"!"), "were changed after they were sealed"),
    ],
)
def test_a_spoiled_part_is_noticed(store, make, trial, spoil, message):
    run = finished(store, make, trial)
    (part,) = (store.folder / "parts").iterdir()
    spoil(part)
    with pytest.raises(StoreError, match=message):
        store.answers(run.run_id)
    # A new run with the same answers puts the file right again.
    finished(store, make, trial)
    assert store.answers(run.run_id) == make.answers(3)


def test_files_left_by_a_crash_are_removed_after_an_hour(tmp_path, make, trial):
    with Store(tmp_path) as store:
        finished(store, make, trial)
    (sealed,) = (tmp_path / "parts").iterdir()
    orphans = [tmp_path / "parts" / name for name in ("f" * 64 + ".parquet", ".0123.tmp")]
    for orphan in orphans:
        orphan.write_bytes(b"left")
    Store(tmp_path).close()
    assert all(orphan.exists() for orphan in orphans)
    old = time.time() - 3700
    for path in [sealed, *orphans]:
        os.utime(path, (old, old))
    Store(tmp_path).close()
    assert list((tmp_path / "parts").iterdir()) == [sealed]


def test_the_folder_of_an_adapted_model(store):
    assert store.adapted_folder("0123456789abcdef" * 4) == store.folder / "adapted" / "0123456789abcdef"
    assert isinstance(store.folder, Path)
