"""Programs are run in the little language, and in no other."""

from __future__ import annotations

import pytest

from text_tasks import TEXT, make_task, write_all
from tianti.core.exceptions import TaskError
from tianti.engine import GenerateResponse
from tianti.tasks import Example, Shots

ROWS = [
    {"what": "double x", "program": ["x * 2", "x + x"], "tests": [[1, 2], [5, 10]]},
    {"what": "halve x", "program": "x // 2", "tests": [[5, 2]]},
]
KEYS = {
    "kind": "code-generation",
    "programming_language": "expression",
    "doc_to_text": "Task: {{what}}\nProgram:",
    "doc_to_target": "program",
    "tests": "tests",
}


def test_one_program_a_sample(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    assert [(metric.name, metric.chance, metric.scale) for metric in task.metrics] == [
        ("pass@1", 0.0, "proportion"),
        ("valid_programs", None, "mean"),
    ]
    assert write_all(task, [" 2 * x", "import os"]) == {"pass@1": [1.0, 0.0], "valid_programs": [1.0, 0.0]}
    assert write_all(task, ["x + 1", "x // 2\n"]) == {"pass@1": [0.0, 1.0], "valid_programs": [1.0, 1.0]}
    prompt = "Task: double x\nProgram:"
    assert task.examples("train")[0] == Example(prompt, " x * 2", prompt, "x * 2")


def test_several_programs_a_sample(tmp_path):
    sampling = {"generation_kwargs": {"do_sample": True, "temperature": 0.7}, "repeats": 4}
    task = make_task(tmp_path, ROWS, metric_list=["pass@1", "pass@2", "valid_programs"], **sampling, **KEYS)
    question = next(iter(task.questions(Shots(), TEXT)))
    assert len({request.seed for request in question.requests}) == 4
    grade = task.grade(question, [GenerateResponse(text) for text in ("x", "x +", "x+x", "x*3")])
    assert grade.prediction == "x+x"
    assert grade.values == {"pass@1": 0.25, "pass@2": pytest.approx(0.5), "valid_programs": 0.75}


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"programming_language": "python"}, "'python' is not run here.*no sandbox"),
        ({"tests": None}, "'tests' is missing"),
        ({"metric_list": ["pass@2"]}, "pass@2 needs 2 answers to each sample"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path, keys, reason):
    with pytest.raises(TaskError, match=reason):
        make_task(tmp_path, ROWS, **(KEYS | keys))


@pytest.mark.parametrize("tests", [[], [[1]], [[1, "2"]], "1 2", [[1, True]], [[1, 3]]])
def test_tests_are_pairs_of_numbers_and_the_program_passes_them(tmp_path, tests):
    with pytest.raises(TaskError, match=r"row 1: (tests gives|the program of doc_to_target)"):
        make_task(tmp_path, [ROWS[0] | {"tests": tests}], **KEYS).samples("test")
