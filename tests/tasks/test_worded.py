"""Tasks in other words: templates, instruction, calibrated labels, chains of thought."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.engine import (
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    RollingRequest,
    ScoreRequest,
    ScoreResponse,
)
from tianti.tasks import list_tasks, load_tasks
from tianti.tasks.calibrated import calibrated
from tianti.tasks.kinds import KINDS
from tianti.tasks.task import Shots
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.wording import Thought, Wording
from tianti.tasks.yaml_task import YamlTask

BOTH = frozenset({ScoreRequest, GenerateRequest})
LABELS: dict[str, Any] = {
    "task": "mine",
    "kind": "classification",
    "data": {"train": "train.jsonl", "test": "test.jsonl"},
    "doc_to_text": "{{text}} =>",
    "doc_to_target": "label",
    "doc_to_choice": ["bad", "good"],
    "templates": {
        "ask": {"doc_to_text": "Is {{text}} good?", "doc_to_choice": ["no", "yes"], "doc_to_target": "x"}
    },
}
LABELS["templates"]["ask"].pop("doc_to_target")
ROWS = [{"text": f"text {number}", "label": number % 2, "why": f"Reason {number}."} for number in range(8)]


def write(folder: Path, rows: list[dict[str, Any]] = ROWS, **keys: Any) -> YamlTask:
    for split, part in (("train", rows[: len(rows) // 2]), ("test", rows[len(rows) // 2 :])):
        lines = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"{split}.jsonl").write_text(lines, "utf-8")
    return YamlTask(parse_task_file(LABELS | keys, "mine.yaml"), folder / "mine.yaml")


def ask(task: Any, wording: Wording, **shots: Any) -> list[Any]:
    return list(task.questions(Shots(wording=wording, **shots), BOTH))


def test_a_template_stands_in_place_of_the_task_s_own_prompt(tmp_path):
    question = ask(write(tmp_path), Wording(template="ask"))[0]
    assert question.prompt == "Is text 4 good?"
    assert [request.continuation for request in question.requests] == [" no", " yes"]
    scores = [ScoreResponse(-1.0, False), ScoreResponse(-2.0, False)]
    grade = write(tmp_path).grade(question, scores)
    assert (grade.prediction, grade.values["acc"]) == ("no", 1.0)


def test_all_templates_are_repeats_of_each_sample(tmp_path):
    task = write(tmp_path)
    questions = ask(task, Wording(template="all"))
    assert [(each.sample_id, each.repeat) for each in questions[:4]] == [
        ("0", 0),
        ("0", 1),
        ("1", 0),
        ("1", 1),
    ]
    assert len(questions) == task.count() * task.questions_of_a_sample(Wording(template="all"))
    assert [each.prompt for each in questions[:2]] == ["text 4 =>", "Is text 4 good?"]


@pytest.mark.parametrize(
    ("wording", "words"),
    [
        (Wording(template="asks"), "no template 'asks'; did you mean 'ask'"),
        (Wording(instruction=True), "instruction=true asks for the task's own"),
    ],
)
def test_what_the_file_does_not_have_is_refused(tmp_path, wording, words):
    with pytest.raises(IncompatibleError, match=words):
        write(tmp_path).check_wording(wording)


def test_an_instruction_stands_before_everything(tmp_path):
    task = write(tmp_path, instruction="Judge.", description="About texts. ")
    prompts = [
        ask(task, Wording(instruction=each), k=1, selection="first")[0].prompt
        for each in (True, "Be {kind}.")
    ]
    end = "\n\nAbout texts. text 0 => bad\n\ntext 4 =>"
    assert prompts == ["Judge." + end, "Be {kind}." + end]


def test_the_keys_are_no_part_of_the_fingerprint(tmp_path):
    plain = YamlTask(
        parse_task_file({key: value for key, value in LABELS.items() if key != "templates"}, "m"),
        tmp_path / "mine.yaml",
    )
    more = write(tmp_path, instruction="Judge.", extract="answer", doc_to_rationale="why")
    assert plain.fingerprint == more.fingerprint
    assert more.wording_facts(Wording()) == {}
    assert more.wording_facts(Wording(template="ask", instruction=True)) == {
        "templates": {"ask": {"doc_to_text": "Is {{text}} good?", "doc_to_choice": ["no", "yes"]}},
        "instruction": "Judge.",
    }


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"templates": {"all": {"doc_to_text": "{{text}}"}}}, "cannot be a template's name"),
        ({"templates": {"a": {}}}, "changes nothing"),
        ({"extract": "last-numbr"}, "did you mean last-number"),
        ({"extract": {"regex": "("}}, "no regular expression"),
    ],
)
def test_bad_keys_are_explained(keys, words):
    with pytest.raises(TaskError, match=words):
        parse_task_file(LABELS | keys, "mine.yaml")


PROMPTED = [info.name for info in list_tasks() if KINDS[info.kind].takes_shots]


@pytest.mark.parametrize("name", PROMPTED)
def test_library_tasks_have_templates_and_an_instruction(name):
    (task,) = load_tasks(name)
    assert len(task.file.templates) >= 2
    wordings = [Wording(), *(Wording(each) for each in task.file.templates)]
    prompts = [[each.prompt for each in task.questions(Shots(wording=each), BOTH, 20)] for each in wordings]
    assert len({prompt for each in prompts for prompt in each}) == len(wordings) * len(set(prompts[0]))
    together = list(task.questions(Shots(2, "first", wording=Wording("all", True)), BOTH, 2))
    assert len(together) == 2 * len(wordings)
    first = together[0].sample_id
    for question in together:
        assert question.prompt.startswith(task.file.instruction + task.file.fewshot_delimiter)
        assert question.prompt.endswith(prompts[question.repeat][int(question.sample_id != first)])


def test_both_languages_have_the_same_templates():
    for name in PROMPTED:
        if not name.endswith("-zh"):
            english, chinese = (load_tasks(each)[0].file.templates for each in (name, f"{name}-zh"))
            assert list(english) == list(chinese)


@pytest.mark.parametrize("name", ["nano/texts", "nano/augmentation"])
def test_a_task_without_a_question_of_its_own_cannot_be_asked_otherwise(name):
    (task,) = load_tasks(name)
    with pytest.raises(IncompatibleError, match="no question that could be worded otherwise"):
        list(task.questions(Shots(wording=Wording("own")), BOTH | {RollingRequest}))


def test_calibration_is_that_of_the_paper():
    generator = np.random.default_rng(0)
    for _ in range(20):
        labels, asked = int(generator.integers(2, 5)), int(generator.integers(1, 4))
        scores = np.log(generator.random((asked + 3, labels)))
        responses = [ScoreResponse(float(score), False) for score in scores.ravel()]
        prior = np.exp(scores[-3:]).mean(axis=0)
        prior /= prior.sum()
        expected = (np.linalg.inv(np.diag(prior)) @ np.exp(scores[:-3]).T).T
        expected /= expected.sum(axis=1, keepdims=True)
        found = [
            np.exp(each.logprobs)
            for each in calibrated(responses, labels)
            if isinstance(each, ChooseResponse)
        ]
        assert np.allclose(found, expected)


def test_a_preference_for_a_label_is_taken_out(tmp_path):
    task = write(tmp_path)
    question = ask(task, Wording(calibrate=True), k=2, selection="first")[0]
    contexts = [request.context for request in question.requests]
    before = "text 0 => bad\n\ntext 1 => good\n\n"
    assert contexts[::2] == [before + each for each in ("text 4 =>", "N/A =>", "[MASK] =>", " =>")]
    asked, free = [-2.0, -1.5], [-3.0, -1.0] * 3  # "good" is likelier, but less so than without content
    grade = task.grade(question, [ScoreResponse(score, False) for score in asked + free])
    assert (grade.prediction, grade.values) == ("bad", {"acc": 1.0, "f1": [0, 0]})


def test_calibration_needs_one_set_of_labels():
    (task,) = load_tasks("nano/commonsense")
    with pytest.raises(IncompatibleError, match="one set of labels"):
        ask(task, Wording(calibrate=True))


def test_a_chain_shows_rationales_and_its_answer_is_graded(tmp_path):
    task = write(tmp_path, doc_to_rationale="{{why}} The answer is {{['bad', 'good'][label]}}.")
    question = ask(task, Wording(thought=Thought()), k=1, selection="first")[0]
    trigger = "Let's think step by step."
    assert question.prompt == f"text 0 => {trigger} Reason 0. The answer is bad.\n\ntext 4 => {trigger}"
    written = [("Good? No: the answer is bad.", "bad", 1.0), ("No idea.", "", 0.0)]
    for text, prediction, accuracy in written:
        grade = task.grade(question, [GenerateResponse(text)])
        assert (grade.prediction, grade.values["acc"]) == (prediction, accuracy)
    assert grade.values["f1"] == [0, -1]


def test_the_answer_of_most_chains_counts(tmp_path):
    task = write(tmp_path)
    wording = Wording(thought=Thought(chains=4, temperature=0.7))
    question = ask(task, wording)[0]
    assert len({request.seed for request in question.requests}) == 4
    texts = ["good", "hm", "so bad", "bad."]
    assert task.grade(question, [GenerateResponse(text) for text in texts]).prediction == "bad"


def test_rationales_are_needed_for_examples(tmp_path):
    with pytest.raises(IncompatibleError, match="the task file names none"):
        ask(write(tmp_path), Wording(thought=Thought()), k=1)


# The first two questions of GSM8K's test split (Cobbe et al. 2021), whose answers are 18 and 3.
GSM8K = [
    {
        "question": "Janet’s ducks lay 16 eggs per day. She eats three for breakfast every "
        "morning and bakes muffins for "
        "her friends every day with four. She sells the remainder at the farmers' market daily for $2 per fresh duck "
        "egg. How much in dollars does she make every day at the farmers' market?",
        "answer": "Janet sells 16 - 3 - 4 = <<16-3-4=9>>9 duck eggs a day.\nShe makes 9 "
        "* 2 = $<<9*2=18>>18 every day at "
        "the farmer’s market.\n#### 18",
    },
    {
        "question": "A robe takes 2 bolts of blue fiber and half that much white fiber.  "
        "How many bolts in total does it "
        "take?",
        "answer": "It takes 2/2=<<2/2=1>>1 bolt of white fiber\nSo the total amount of "
        "fabric is 2+1=<<2+1=3>>3 bolts of "
        "fabric\n#### 3",
    },
]


@pytest.mark.parametrize(
    ("text", "strict", "flexible"),
    [
        ("16 - 3 - 4 = 9, times 2 is 18.\n#### 18", 1.0, 1.0),
        ("She makes $18.00 a day", 0.0, 1.0),
        ("so 9 * 2 = $1,8", 0.0, 1.0),
        ("#### 18\nIn 2 days 36", 1.0, 0.0),
        ("it is -18", 0.0, 0.0),
        ("no number", 0.0, 0.0),
    ],
)
def test_gsm8k_by_both_rules(tmp_path, text, strict, flexible):
    from lm_eval.filters.extraction import RegexFilter

    keys = {
        "kind": "question-answering",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_target": "{{answer.split('####')[-1].strip()}}",
        "doc_to_rationale": "answer",
        "doc_to_choice": None,
        "templates": {},
    }
    for rule, expected in (({"regex": r"#### (\-?[0-9\.\,]+)"}, strict), ("last-number", flexible)):
        task = write(tmp_path, [GSM8K[1], GSM8K[0]], **keys, extract=rule)
        question = ask(task, Wording(thought=Thought("")), k=1, selection="first")[0]
        assert question.prompt.startswith(
            f"Question: {GSM8K[1]['question']}\nAnswer: {GSM8K[1]['answer']}\n\nQ"
        )
        grade = task.grade(question, [GenerateResponse(text)])
        assert grade.values["exact_match"] == expected
    ((theirs,),) = RegexFilter(r"#### (\-?[0-9\.\,]+)").apply([[text]], [{}])
    assert (theirs == "18") == bool(strict)
