"""How much the wording of a task matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tianti.board.board import Board
from tianti.board.cells import _over_templates
from tianti.evaluation.answer import Answer
from tianti.evaluation.templates import spread_over_templates
from tianti.tasks.metric_rule import mean
from tianti.tasks.task import Metric

METRIC = Metric("acc", mean)


def answer(sample: int, repeat: int, value: float, state: Any = "ok") -> Answer:
    return Answer(str(sample), repeat, state, "", "", values={"acc": value} if state == "ok" else {})


def test_each_template_has_its_score_and_they_their_spread() -> None:
    values = np.array([[1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 1, 0]], dtype=float)
    answers = [answer(sample, repeat, values[repeat, sample]) for sample in range(4) for repeat in range(3)]
    found = spread_over_templates(METRIC, ("own", "a", "b"), [*answers, answer(9, 1, 0, "skipped")])
    assert found["scores"] == {"own": 0.75, "a": 0.25, "b": 0.5}
    assert (found["lowest"], found["highest"]) == (0.25, 0.75)
    assert found["sd"] == pytest.approx(values.mean(axis=1).std(ddof=1))


def test_nothing_is_said_of_one_template_or_of_one_without_answers() -> None:
    assert spread_over_templates(METRIC, (), [answer(0, 0, 1)]) == {}
    assert spread_over_templates(METRIC, ("own", "a"), [answer(0, 0, 1)]) == {}


def test_seeds_are_averaged_before_the_spread() -> None:
    found = _over_templates([{"own": 0.2, "a": 0.6}, {"own": 0.4, "a": 0.6}])
    assert found == pytest.approx({"own": 0.3, "a": 0.6, "lowest": 0.3, "highest": 0.6, "sd": 0.3 / 2**0.5})
    assert _over_templates([]) == {}


def test_a_run_with_all_templates_shows_their_spread_on_the_board(tmp_path: Path) -> None:
    from tianti.api import run

    study = {
        "models": "nano:llama",
        "tasks": "nano/sentiment",
        "adaptations": "zero-shot(template=all)",
        "limit": 6,
    }
    board = run(study, store=tmp_path)
    (entry,) = board.entries
    found = entry.cells["nano/sentiment"].templates
    assert set(found) == {"own", "question", "opinion", "lowest", "highest", "sd"}
    assert entry.cells["nano/sentiment"].value == pytest.approx(np.mean([found[n] for n in list(found)[:3]]))
    assert json.loads(board.to_json())["entries"][0]["cells"]["nano/sentiment"]["templates"]["sd"] is not None
    assert (
        Board.from_json(board.to_json()).entries[0].cells["nano/sentiment"].templates.keys() == found.keys()
    )
