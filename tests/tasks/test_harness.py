from __future__ import annotations

import json
import logging
import logging.handlers
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.harness_world import COMPARED, SameAnswers, TalkingBackend, write_world
from tianti.core.exceptions import IncompatibleError, TaskError, UnknownNameError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    RollingRequest,
    ScoreRequest,
    ScoreResponse,
)
from tianti.tasks.harness import HarnessTask, load_harness_tasks
from tianti.tasks.task import Grade, Question, Shots

ALL = TalkingBackend.request_types


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = write_world(tmp_path_factory.mktemp("world"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        # The packaged tasks play no part here: an empty index spares their scan.
        patch.setattr("tianti.tasks.harness_load.read_index", lambda progress: {})
        yield folder


@pytest.fixture(autouse=True)
def _no_environment_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """lm-eval asks the whole machine for its versions after each run, which takes longer than the run."""
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda results: None)


def load(name: str, world: Path) -> HarnessTask:
    (task,) = load_harness_tasks(name, [world])
    return task


def ask(task: HarnessTask, shots: Shots, limit: int | None = None) -> list[tuple[Question, Grade]]:
    graded = []
    for question in task.questions(shots, ALL, limit):
        answers = dict(TalkingBackend().answer(question.requests))
        graded.append((question, task.grade(question, [answers[index] for index in range(len(answers))])))
    return graded


@pytest.mark.parametrize(("name", "k"), COMPARED)
def test_prompts_values_and_scores_are_those_of_lm_eval(name: str, k: int, world: Path) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    theirs = simple_evaluate(
        model=SameAnswers(),
        tasks=[name],
        task_manager=TaskManager(include_path=str(world), include_defaults=False),
        num_fewshot=k,
        bootstrap_iters=0,
    )
    task = load(name, world)
    graded = ask(task, Shots(k))
    assert len(graded) == task.count() == len(theirs["samples"][name]) / len(task.info.settings["filters"])
    for sample in theirs["samples"][name]:
        question, grade = graded[sample["doc_id"]]
        requests = question.requests[:: task.info.settings["repeats"]]
        assert [_texts(request) for request in requests] == [
            _texts_of_lm_eval(a) for a in sample["arguments"]
        ]
        for metric in sample["metrics"]:
            if metric != "odd":
                value = grade.values[_name(metric, sample["filter"])]
                assert _plain(value) == _plain(sample[metric])
    for metric in task.metrics:
        bare, _, filter_name = metric.name.partition("@")
        score = metric.aggregate([grade.values[metric.name] for _, grade in graded])
        assert score == theirs["results"][name][f"{bare},{filter_name or 'none'}"]
        assert metric.higher_is_better == theirs["higher_is_better"][name][bare]


def _name(metric: str, filter_name: str) -> str:
    return metric if filter_name == "none" else f"{metric}@{filter_name}"


def _texts(request: Any) -> tuple[str, ...]:
    match request:
        case ScoreRequest(context, continuation):
            return context, continuation
        case RollingRequest(text):
            return (text,)
        case GenerateRequest(context):
            return (context,)
    raise AssertionError(request)


def _texts_of_lm_eval(arguments: Sequence[Any]) -> tuple[str, ...]:
    return tuple(argument for argument in arguments if isinstance(argument, str))


def _plain(value: Any) -> Any:
    """As JSON has it, so that tuples equal lists and numpy's numbers Python's."""
    return json.loads(json.dumps(value, default=lambda odd: odd.tolist()))


def test_values_survive_json(world: Path) -> None:
    task = load("choice_corpus", world)
    values = [json.loads(json.dumps(grade.values)) for _, grade in ask(task, Shots())]
    for metric in task.metrics:
        assert math.isfinite(metric.aggregate([value[metric.name] for value in values]))


def test_what_is_not_a_number_is_missing(world: Path) -> None:
    assert set(ask(load("own_results", world), Shots())[0][1].values) == {"mass"}


def test_limit_takes_the_first_questions_unchanged(world: Path) -> None:
    task = load("choice", world)
    every, first = ask(task, Shots(2)), ask(task, Shots(2), limit=2)
    assert [question.prompt for question, _ in first] == [question.prompt for question, _ in every[:2]]
    assert task.count(2) == 2
    assert task.count(100) == len(every)


def test_seed_zero_is_lm_evals_and_others_draw_other_shots(world: Path) -> None:
    task = load("choice", world)
    prompts = [[question.prompt for question, _ in ask(task, Shots(2, seed=seed))] for seed in (0, 1, 0)]
    assert prompts[0] == prompts[2] != prompts[1]


def test_the_order_of_questions_asked_before_does_not_matter(world: Path) -> None:
    task = load("choice", world)
    ask(task, Shots(3), limit=1)
    before = [question.prompt for question, _ in ask(task, Shots(1))]
    assert before == [question.prompt for question, _ in ask(load("choice", world), Shots(1))]


def test_zero_shots_win_over_the_yaml(world: Path) -> None:
    question, _ = ask(load("built_in_shots", world), Shots(0))[0]
    assert question.prompt == "Q: Colour of thing 8?\nA:"


@pytest.mark.parametrize(
    ("name", "k", "words"),
    [("no_shots", 1, "num_fewshot: 0"), ("whole_text", 1, "whole texts"), ("choice", 7, "6 ")],
)
def test_refuses_shots_that_there_are_not(name: str, k: int, words: str, world: Path) -> None:
    with pytest.raises(IncompatibleError, match=words):
        load(name, world).questions(Shots(k), ALL)


def test_score_and_generate_requests_are_truncated_like_lm_evals(world: Path) -> None:
    for name in ("choice", "written"):
        assert all(request.truncate for request in ask(load(name, world), Shots())[0][0].requests)


def test_generation_settings(world: Path) -> None:
    (greedy,) = ask(load("written", world), Shots())[0][0].requests
    assert (greedy.stop, greedy.max_tokens, greedy.temperature) == (("\n",), 9, 0.0)
    sampled = ask(load("voted", world), Shots())[0][0].requests
    assert len(sampled) == len({request.seed for request in sampled}) == 3
    assert {(request.temperature, request.max_tokens) for request in sampled} == {(0.7, 256)}


def test_the_ranking_metric_stands_first_and_knows_chance(world: Path) -> None:
    metrics = load("choice", world).metrics
    assert [metric.name for metric in metrics] == ["acc_norm", "acc", "acc_bytes", "acc_mutual_info"]
    # Two, three, four, two choices, then those of the first two rows.
    expected = (1 / 4 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 2 + 1 / 3) / 6
    assert metrics[0].chance == pytest.approx(expected)
    assert metrics[0].scale == "proportion"
    assert [metric.scale for metric in load("choice_corpus", world).metrics] == ["ratio", "ratio"]
    (mass,) = load("own_results", world).metrics
    assert (mass.scale, mass.chance) == ("mean", None)
    assert load("whole_text", world).metrics[0].higher_is_better is False


def test_a_head_is_shown_the_question_and_its_choices(world: Path) -> None:
    task = load("choice", world)
    questions = list(task.questions(Shots(), frozenset({ChooseRequest})))
    assert questions[2].requests == (
        ChooseRequest("Name the colour.\n\nQ: Colour of thing 10?\nA:", ("red", "green", "blue")),
    )
    right = task.grade(questions[2], [ChooseResponse((-0.1, -4.0, -3.0))])
    assert right.prediction == "red"
    assert set(right.values.values()) == {1.0}
    assert set(task.grade(questions[2], [ChooseResponse((-4.0, -3.0, -0.2))]).values.values()) == {0.0}


def test_a_head_is_shown_no_shots(world: Path) -> None:
    with pytest.raises(IncompatibleError, match="reads none"):
        load("choice", world).questions(Shots(1), frozenset({ChooseRequest}))


def test_refuses_a_backend_that_cannot_answer(world: Path) -> None:
    for name, types in (
        ("written", {ScoreRequest, ChooseRequest}),
        ("contexts", {ChooseRequest}),
        ("choice", set()),
    ):
        with pytest.raises(IncompatibleError, match="needs a model that answers"):
            load(name, world).questions(Shots(), frozenset(types))


def test_prediction_and_target(world: Path) -> None:
    task = load("choice", world)
    question = next(task.questions(Shots(), ALL))
    likely = [
        ScoreResponse(-1.0 if request.continuation == " green" else -9.0, False)
        for request in question.requests
    ]
    assert (question.target, task.grade(question, likely).prediction) == ("red", "green")
    for name, target in (
        ("several_answers", "red | any"),
        ("cloze", " red"),
        ("whole_text", "Thing 8 is red."),
    ):
        assert next(load(name, world).questions(Shots(), ALL)).target.startswith(target)
    cloze = load("cloze", world)
    question = next(cloze.questions(Shots(), ALL))
    assert [cloze.grade(question, [ScoreResponse(-1.0, greedy)]).prediction for greedy in (True, False)] == [
        " red",
        "",
    ]


@pytest.mark.parametrize("name", ["choice", "cloze", "written", "several_answers"])
def test_examples_continue_as_the_shots_do(name: str, world: Path) -> None:
    """The first training example, context and continuation, is what stands in a prompt that shows it."""
    task = load(name, world)
    examples = task.examples("train")
    assert len(examples) == 6
    text = examples[0].context.removeprefix("Name the colour.\n\n") + examples[0].continuation
    for question, _ in ask(task, Shots(6)):
        # lm-eval writes its delimiter between the shots of a cloze, though not between its question and answer.
        assert text in question.prompt.replace("  ", " ")


def test_examples_of_a_choice_have_a_label_for_heads(world: Path) -> None:
    example = load("choice", world).examples("validation")[1]
    assert (example.choices, example.label, example.target) == (("red", "green", "blue"), 1, "green")
    assert example.continuation == " green"
    several = load("several_right", world).examples("train")[1]
    assert (several.continuation, several.label) == (" green", 1)
    contexts = load("contexts", world).examples("train")[1]
    assert (contexts.context, contexts.continuation, contexts.label) == ("One green", " lies there", None)


def test_examples_of_whole_texts(world: Path) -> None:
    example = load("whole_text", world).examples("train")[0]
    assert (example.context, example.continuation) == ("", "Thing 0 is red.  It lies here.")


def test_an_unlabelled_document_is_no_example(world: Path) -> None:
    with pytest.raises(TaskError, match="train document 0: its label"):
        load("unlabelled", world).examples("train")


def test_nobody_learns_from_the_evaluated_split(world: Path) -> None:
    task = load("choice", world)
    task._task.config.test_split = None
    assert task.examples("validation") == []
    assert task.examples("train")


def test_a_task_written_as_a_class(world: Path) -> None:
    task = load("own_class", world)
    assert (task.info.split, task.info.version) == ("validation", "3")
    assert task.examples("validation") == []
    assert task.examples("train")[1].continuation == " 2"
    question, grade = ask(task, Shots())[0]
    assert [type(request) for request in question.requests] == [GenerateRequest, ScoreRequest]
    assert set(grade.values) == {"right", "logprob"}


def test_a_metric_that_cannot_be_fetched_says_so(world: Path) -> None:
    (metric,) = load("fetched_metric", world).metrics
    with pytest.raises(TaskError, match="exact_match cannot be computed: no network"):
        metric.aggregate([1.0])


def test_groups_and_tags_give_their_tasks(world: Path) -> None:
    assert [task.info.name for task in load_harness_tasks("two_kinds", [world])] == [
        "harness:choice",
        "harness:written",
    ]
    assert [task.info.name for task in load_harness_tasks("colours", [world])] == [
        "harness:choice",
        "harness:cloze",
    ]


def test_info(world: Path) -> None:
    info = load("written", world).info
    assert (info.name, info.kind, info.split, info.version) == (
        "harness:written",
        "harness/generate_until",
        "test",
        "2.0",
    )
    assert info.settings["filters"] == ["strict", "none"]


def test_fingerprint_follows_data_and_functions_not_place(world: Path, tmp_path: Path) -> None:
    first = load("own_results", world).fingerprint
    assert first == load("own_results", world).fingerprint != load("choice", world).fingerprint
    (tmp_path / "other").mkdir()
    other = write_world(tmp_path / "other")
    assert load("own_results", other).fingerprint == first
    with (other / "helpers.py").open("a") as file:
        file.write("\n# changed\n")
    changed = load("own_results", other).fingerprint
    assert changed != first
    with (other / "test.jsonl").open("a") as file:
        file.write((other / "train.jsonl").read_text().splitlines()[2] + "\n")
    assert load("own_results", other).fingerprint != changed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crowd", "several documents at once"),
        ("beams", "num_beams=10"),
        ("runs_code", "runs code that the model wrote, which is refused: there is no sandbox"),
        ("runs_code_offline", "runs code that the model wrote, which is refused"),
        ("pictures", "images"),
        ("bad_template", "nothing_of_this_name"),
        ("no_data", "nobody/nothing"),
    ],
)
def test_what_cannot_be_used_says_why(name: str, words: str, world: Path) -> None:
    with pytest.raises(TaskError, match=words):
        list(load(name, world).questions(Shots(), ALL))


def test_unknown_names(world: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'choice'"):
        load_harness_tasks("chioce", [world])
    (tmp_path / "broken.yaml").write_text("task: [broken")
    with pytest.raises(UnknownNameError, match=r"broken\.yaml"):
        load_harness_tasks("broken", [tmp_path])
    with pytest.raises(TaskError, match="no folder"):
        load_harness_tasks("choice", [tmp_path / "nowhere"])


def test_remarks_on_yaml_files_stay_out_of_the_terminal(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, heard = logging.getLogger("lm_eval"), logging.handlers.BufferingHandler(100)
    monkeypatch.setattr(logger, "handlers", [heard])
    monkeypatch.setattr(logger, "level", logging.WARNING)
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    load("translated", world)  # its metric has no aggregation
    assert not heard.buffer
    logging.getLogger("lm_eval.api").warning("heard again")
    assert [record.getMessage() for record in heard.buffer] == ["heard again"]


def test_global_generators_are_left_alone(world: Path) -> None:
    import random

    random.seed(5)
    expected = random.random()
    random.seed(5)
    ask(load("choice", world), Shots(2))
    assert random.random() == expected


@pytest.mark.parametrize("selection", ["balanced", "similar", "embedding"])
def test_a_selection_that_lm_eval_does_not_have_is_refused(world, selection):
    with pytest.raises(IncompatibleError, match=f"no selection={selection}"):
        load("choice", world).questions(Shots(2, selection), ALL)
