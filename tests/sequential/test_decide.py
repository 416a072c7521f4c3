import os
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tianti
from tianti.api import run_study
from tianti.board import Rules
from tianti.core.exceptions import InputError, StudyError
from tianti.core.progress import Silent
from tianti.sequential.decide import rounds
from tianti.store import Store
from tianti.study import study_of, trials

MODELS = ["nano:llama", "nano:llama-untrained", "baseline:tfidf"]
TASKS = ["nano/sentiment", "nano/qa"]
FIELDS = {"models": MODELS, "tasks": TASKS, "adaptations": ["zero-shot", "fit"], "limit": 150}
DECIDED = {**FIELDS, "until": "decided", "delta": 8}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    tianti.run(FIELDS, store=folder)
    return folder


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decided")
    return folder, tianti.run(DECIDED, store=folder)


def answers(folder):
    """What each trial answered, by model, task and sample."""
    with Store(folder) as store:
        return {
            (run.manifest["model"]["name"], run.manifest["task"]["name"], answer.sample_id): (
                answer.position,
                answer.prediction,
                dict(answer.values),
            )
            for run in store.runs()
            for answer in store.answers(run.run_id)
        }


@given(st.integers(1, 100_000))
def test_rounds_cover_the_bank_and_grow(size):
    found = list(rounds(size))
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
    assert (found[0][0], found[-1][1]) == (0, size)
    assert len(found) < 60


def test_entries_stop_early_with_the_answers_of_a_whole_run(whole, decided):
    folder, board = decided
    every, some = answers(whole), answers(folder)
    assert len(some) < 0.8 * len(every)
    assert some.items() <= every.items()
    assert board.decided.open == 0
    assert board.decided.answers == len(some)
    assert (board.decided.items, board.decided.delta) == (300, 8)
    assert [entry.rank for entry in board.entries] == [1, 2, 3]
    true = tianti.load_board(whole)
    for entry in board.entries:
        other = true.entry(entry.name)
        assert entry.rank_low <= other.rank <= entry.rank_high
        assert entry.low <= other.mean <= entry.high
        assert entry.target == "this bank"
        assert entry.n < 300
        assert entry.marginal_low is None
    assert board.winner is None
    assert tianti.Board.from_json(board.to_json()) == board


def test_every_entry_is_asked_the_same_beginning(decided):
    asked = {}
    for model, task, sample in answers(decided[0]):
        asked.setdefault(model, set()).add((task, sample))
    sets = sorted(asked.values(), key=len)
    assert all(less <= more for less, more in pairwise(sets))


def test_the_board_says_so(decided):
    shown = str(decided[1]).replace("\n", " ")
    assert f"decided after {decided[1].decided.asked} of 300 samples" in shown
    assert "this bank of samples" in shown
    assert "samples asked: nano:llama · zero-shot" in shown


def test_an_order_is_chosen_once(decided):
    with pytest.raises(StudyError, match=r"seed 0, and an order is chosen once"):
        tianti.run({**DECIDED, "order_seed": 1}, store=decided[0])


def test_tests_that_look_once_are_refused(decided):
    for rules in (Rules(ranks="max-t"), Rules(intervals="clopper-pearson")):
        with pytest.raises(InputError, match="asked all samples"):
            tianti.load_board(decided[0], rules=rules)
    with pytest.raises(InputError, match="stopped when their ranking was decided"):
        tianti.rank_items(store=decided[0])


def test_what_was_decided_is_found(decided, monkeypatch):
    monkeypatch.setattr("tianti.sequential.asking.answer_shard", None)
    assert tianti.run(DECIDED, store=decided[0]) == decided[1]


def test_a_killed_study_goes_on_as_if_nothing_had_happened(decided, tmp_path):
    command = [
        sys.executable,
        "-m",
        "tianti",
        "run",
        *MODELS,
        "--until",
        "decided",
        "--delta",
        "8",
        "--limit",
        "150",
    ]
    command += [
        "--task",
        TASKS[0],
        "--task",
        TASKS[1],
        "--adapt",
        "zero-shot",
        "--adapt",
        "fit",
        "--name",
        "study",
    ]
    command += ["--store", str(tmp_path / "store")]
    for point, status in (("after_append:3", 137), ("before_finish_commit:2", 137), ("", 0)):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TIANTI_FAILPOINT": point}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == status, ended.stderr
    assert answers(tmp_path / "store") == answers(decided[0])
    again = tianti.load_board(tmp_path / "store")
    facts = [(e.name, e.mean, e.low, e.high, e.rank_low, e.rank_high, e.n) for e in decided[1].entries]
    assert facts == [(e.name, e.mean, e.low, e.high, e.rank_low, e.rank_high, e.n) for e in again.entries]


def test_one_more_entry_goes_on_from_the_answers_that_are_there(tmp_path):
    two = {**DECIDED, "models": ["baseline:tfidf", "baseline:majority"], "adaptations": ["fit"]}
    tianti.run(two, store=tmp_path)
    before = answers(tmp_path)
    board = tianti.run(
        {**two, "models": [*two["models"], "nano:llama"], "adaptations": ["fit", "zero-shot"]}, store=tmp_path
    )
    assert before.items() <= answers(tmp_path).items()
    assert len(board.entries) == 3
    assert board.decided.open == 0


def test_it_does_not_stand_among_entries_that_were_asked_everything(whole, tmp_path):
    tianti.run({**FIELDS, "study": "whole"}, store=tmp_path)
    tianti.run({**DECIDED, "study": "decided"}, store=tmp_path)
    every = tianti.load_board(tmp_path)
    assert every.decided is None
    assert every.left_out == 6
    assert [e.mean for e in every.entries] == [e.mean for e in tianti.load_board(whole).entries]
    assert tianti.load_board(tmp_path, "decided").decided is not None


def test_what_cannot_be_decided_is_refused(tmp_path):
    with pytest.raises(StudyError, match="1 entry to compare"):
        tianti.run({**DECIDED, "models": ["baseline:tfidf"], "adaptations": ["fit"]}, store=tmp_path)
    with pytest.raises(StudyError, match="no effect without until"):
        study_of(**FIELDS, delta=3)
    with pytest.raises(StudyError, match="delta: expected points"):
        study_of(**{**DECIDED, "delta": 0})
    with pytest.raises(StudyError, match="3 workers"):
        tianti.run({**DECIDED, "workers": 3}, store=tmp_path)
    with pytest.raises(StudyError, match="until: expected decided"):
        study_of(**{**DECIDED, "until": "done"})


def test_a_task_without_a_mean_is_refused_before_anything_is_asked(tmp_path):
    (tmp_path / "text.jsonl").write_text('{"text": "one two three"}\n' * 3)
    task = tmp_path / "text.yaml"
    task.write_text("task: text\nkind: language-modelling\ndata: {test: text.jsonl}\ndoc_to_target: text\n")
    fields = {**DECIDED, "tasks": [str(task)], "models": ["nano:llama", "nano:llama-untrained"]}
    with pytest.raises(StudyError, match=r"no mean over samples|better when lower"):
        tianti.run({**fields, "adaptations": ["zero-shot"]}, store=tmp_path / "store")


def test_an_entry_that_cannot_be_run_takes_no_part(tmp_path):
    study = study_of(**{**DECIDED, "adaptations": ["zero-shot", "fit", "few-shot(k=500)"]})
    planned = trials(study)
    with Store(tmp_path) as store:
        result = run_study(study, planned, store, Silent())
    states = {outcome.state for outcome in result.outcomes if outcome.trial.adaptation.name == "few-shot"}
    assert states & {"refused", "failed"}
    ranked = [entry for entry in result.board.entries if entry.rank is not None]
    assert len(ranked) == 3


def test_trials_of_other_studies_keep_their_ids():
    plain, until = trials(study_of(**FIELDS)), trials(study_of(**DECIDED))
    assert "order" not in plain[0].manifest
    assert until[0].manifest["order"] == {"seed": 0}
    assert plain[0].id != until[0].id


def test_another_delta_is_what_the_board_then_says(tmp_path):
    fields = {**DECIDED, "models": ["baseline:tfidf", "baseline:majority"], "adaptations": ["fit"]}
    for delta in (30, 3, 20):
        board = tianti.run({**fields, "delta": delta}, store=tmp_path)
        assert board.decided.delta == delta
        assert board.decided.open == 0


def test_two_decided_studies_in_one_store_stay_apart(tmp_path):
    fields = {**DECIDED, "models": ["baseline:tfidf", "baseline:majority"], "adaptations": ["fit"]}
    for task in TASKS:
        tianti.run({**fields, "study": task.rpartition("/")[2], "tasks": [task]}, store=tmp_path)
    newest = tianti.load_board(tmp_path)
    assert [column.name for column in newest.columns] == ["nano/qa"]
    assert newest.left_out == 2
    assert tianti.load_board(tmp_path, "sentiment").decided.items == 150
