"""The library's tasks of written texts: their own answers get full marks, in both languages."""

from __future__ import annotations

import pytest

from text_tasks import TEXT
from tianti.engine import GenerateResponse, RollingRequest, ScoreRequest, ScoreResponse
from tianti.tasks import Shots, load_tasks

FULL = {"translation": 1.0, "summaries": 1.0, "programs": 1.0}


@pytest.mark.parametrize("language", ["", "-zh"])
@pytest.mark.parametrize("name", FULL)
def test_the_right_answer_gets_full_marks(name, language):
    (task,) = load_tasks(f"nano/{name}{language}")
    for question in task.questions(Shots(), TEXT, 20):
        grade = task.grade(question, [GenerateResponse(question.target)])
        assert grade.values[task.metrics[0].name] == pytest.approx(FULL[name]), question
    assert len(task.examples("train")) == 256


@pytest.mark.parametrize("language", ["", "-zh"])
def test_the_right_reply_is_chosen_and_says_what_it_must(language):
    (task,) = load_tasks(f"nano/dialogue{language}")
    for question in task.questions(Shots(), TEXT, 20):
        right = question.sample.form.label
        scored = [request for request in question.requests if isinstance(request, ScoreRequest)]
        scores = [ScoreResponse(float(place == right) - 2, False, (-1.0,)) for place in range(len(scored))]
        values = task.grade(question, [*scores, GenerateResponse(question.target)]).values
        assert (values["acc"], values["joint_slot_accuracy"]) == (1.0, 1.0), question


@pytest.mark.parametrize("language", ["", "-zh"])
def test_references_keep_their_constraints(language):
    """Words and length always; sentiment where the judge, who knows the training split alone, sees it."""
    (task,) = load_tasks(f"nano/control{language}")
    found = [
        task.grade(question, [GenerateResponse(question.target)]).values
        for question in task.questions(Shots(), TEXT, 100)
    ]
    assert all(kept >= count - 1 for kept, count in (values["share_kept"] for values in found))
    assert sum(values["all_kept"] for values in found) >= 60


@pytest.mark.parametrize("language", ["", "-zh"])
def test_the_other_two_are_asked(language):
    (texts,) = load_tasks(f"nano/texts{language}")
    assert isinstance(next(iter(texts.questions(Shots(), TEXT, 1))).requests[0], RollingRequest)
    (episodes,) = load_tasks(f"nano/augmentation{language}")
    question = next(iter(episodes.questions(Shots(), TEXT, 1)))
    assert len(question.requests) == 16
    values = episodes.grade(question, [GenerateResponse("")] * 16).values
    assert (values["gain"], values["usable_share"]) == (0.0, 0.0)
    assert 0 < values["seed_acc"] < 1
