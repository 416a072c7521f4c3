"""What each kind asks of each sort of backend, how it grades, and what it teaches."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import IncompatibleError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
    Thinking,
)
from tianti.stats.calibration import expected_null
from tianti.tasks import Example, Shots, load_tasks
from tianti.tasks.kinds import KINDS
from tianti.tasks.metrics import METRICS
from tianti.tasks.new import STARTERS

TEXT = frozenset({ScoreRequest, GenerateRequest, RollingRequest})
HEAD = frozenset({ChooseRequest})

FILES = {
    "classification": {
        "doc_to_text": "{{q}} Is it",
        "doc_to_choice": ["no", "maybe", "yes"],
        "doc_to_target": "label",
        "head_text": "q",
        "description": "Say.\n",
        "metric_list": ["acc", "acc_norm", "acc_bytes", "f1"],
    },
    "multiple-choice": {
        "doc_to_text": "{{q}}",
        "doc_to_choice": "choices",
        "doc_to_target": "label",
        "metric_list": ["acc", "acc_norm", "acc_bytes"],
    },
    "question-answering": {
        "doc_to_text": "{{q}}",
        "doc_to_target": "answers",
        "generation_kwargs": {"until": [".", "\n"], "max_gen_toks": 5},
    },
    "language-modelling": {"doc_to_target": "q"},
}
ROWS = [
    {"q": "snow  is cold", "label": 2, "choices": ["a", "b", "c", "dé"], "answers": ["cold", "very cold"]},
    {"q": "sand", "label": "no", "choices": ["no", "on"], "answers": "dry"},
]


@pytest.fixture
def make(tmp_path):
    def make(kind, rows=ROWS, **keys):
        (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
        file = (
            {"task": "mine", "kind": kind, "data": {"train": "a.jsonl", "test": "a.jsonl"}}
            | FILES[kind]
            | keys
        )
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(file))
        (task,) = load_tasks(str(path))
        return task

    return make


def first(task, types=TEXT):
    return next(iter(task.questions(Shots(), types)))


def scores(*logprobs):
    return [ScoreResponse(logprob, is_greedy=False) for logprob in logprobs]


def test_every_kind_is_listed_under_its_name_and_has_a_starter():
    for name, kind in KINDS.items():
        assert name == kind.name
        assert kind.summary
        assert set(kind.default_metrics("en")) <= set(kind.metrics)
        assert (STARTERS / f"{name}.yaml").is_file()


def test_classification_asks_text_models_for_each_label(make):
    question = first(make("classification"))
    context = "Say.\nsnow  is cold Is it"
    assert question.prompt == context
    assert question.requests == tuple(ScoreRequest(context, f" {label}") for label in ("no", "maybe", "yes"))
    assert question.target == "yes"


@pytest.mark.parametrize("kind", ["classification", "multiple-choice"])
def test_choices_are_put_to_a_classifier_at_once(make, kind):
    question = first(make(kind), HEAD)
    choices = ("no", "maybe", "yes") if kind == "classification" else ("a", "b", "c", "dé")
    assert question.requests == (ChooseRequest("snow  is cold", choices),)


def test_accuracies_differ_by_what_they_divide_by(make):
    task = make("multiple-choice", [{"q": "x", "label": 1, "choices": ["aa", "éé", "aaaaa"]}])
    values = task.grade(first(task), scores(-3.0, -6.1, -8.0)).values  # per byte −1.5, −1.525, −1.6
    assert values == {"acc": 0.0, "acc_norm": 0.0, "acc_bytes": 0.0}
    values = task.grade(first(task), scores(-3.0, -3.9, -11.0)).values
    assert values == {
        "acc": 0.0,
        "acc_norm": 0.0,
        "acc_bytes": 1.0,
    }  # per byte −1.5, −0.975, −2.2
    values = task.grade(first(task), scores(-3.0, -2.0, -11.0)).values
    assert values == {"acc": 1.0, "acc_norm": 1.0, "acc_bytes": 1.0}


@given(
    st.lists(st.floats(-100, -0.01), min_size=4, max_size=4),
    st.lists(st.text("aé", min_size=1), min_size=4, max_size=4),
)
def test_choices_are_graded_as_in_lm_eval(logprobs, choices):
    np = pytest.importorskip("numpy")
    from tianti.tasks.kinds.choosing import grade_choices
    from tianti.tasks.kinds.kind import Form, Sample

    sample = Sample("0", "", Form((choices[1],), tuple(choices), 1), "", "", "", {})
    values = grade_choices(sample, scores(*logprobs)).values
    characters = np.array([float(len(choice)) for choice in choices])
    size = np.array([float(len(choice.encode())) for choice in choices])
    assert values["acc"] == float(np.argmax(logprobs) == 1)
    assert values["acc_norm"] == float(np.argmax(logprobs / characters) == 1)
    assert values["acc_bytes"] == float(np.argmax(logprobs / size) == 1)
    assert values["f1"] == [1, np.argmax(logprobs)]


def test_a_classifier_knows_no_length(make):
    task = make("classification")
    question = first(task, HEAD)
    grade = task.grade(question, [ChooseResponse((math.log(0.2), math.log(0.2), math.log(0.6)))])
    assert grade.prediction == "yes"
    assert grade.values == {"acc": 1.0, "acc_norm": 1.0, "acc_bytes": 1.0, "f1": [2, 2]}


def test_chance_is_what_guessing_gives(make):
    acc, *_, f1 = make("classification").metrics
    assert (acc.chance, f1.chance) == (pytest.approx(1 / 3), None)
    assert make("multiple-choice").metrics[0].chance == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert [metric.chance for metric in make("question-answering").metrics] == [0, 0]
    assert {metric.chance for metric in make("language-modelling").metrics} == {None}


CALIBRATION = ["acc", "brier", "log_loss", "ece", "ece_excess"]


@pytest.mark.parametrize("kind", ["classification", "multiple-choice"])
def test_how_sure_a_model_is_of_its_choices(make, kind):
    """Probabilities are the softmax over the choices; `brier` is lm-evaluation-harness's number."""
    task = make(kind, [{"q": "x", "label": 1, "choices": ["aa", "b", "cccc"]}], metric_list=CALIBRATION)
    odds = [0.2, 0.5, 0.1]  # of all continuations; 0.25, 0.625, 0.125 of the three
    values = task.grade(first(task), scores(*map(math.log, odds))).values
    assert values["brier"] == pytest.approx(0.25**2 + 0.375**2 + 0.125**2)
    assert values["log_loss"] == pytest.approx(-math.log(0.625))
    assert values["ece"] == values["ece_excess"] == pytest.approx([0.625, 1.0])
    head = task.grade(first(task, HEAD), [ChooseResponse(tuple(map(math.log, (0.25, 0.625, 0.125))))])
    assert head.values["brier"] == pytest.approx(values["brier"])
    reference = pytest.importorskip("lm_eval.api.metrics").brier_score([(1, [0.25, 0.625, 0.125])])
    assert values["brier"] == pytest.approx(reference)
    assert values.keys() == set(CALIBRATION)
    assert {metric.name: metric.chance for metric in task.metrics if metric.chance is not None} == {
        "acc": pytest.approx(1 / 3)
    }
    assert not any(metric.higher_is_better for metric in task.metrics[1:])
    # Far below what a float can hold before the softmax, and a certain wrong choice.
    sure = task.grade(first(task), scores(-2000.0, -3000.0, -4000.0)).values
    assert (sure["brier"], sure["log_loss"]) == (2.0, pytest.approx(1000.0))


def test_the_error_beyond_calibration():
    (ece,), (excess,) = METRICS["ece"], METRICS["ece_excess"]
    sure_and_half_right = [[0.9, 1.0], [0.9, 0.0]] * 50
    assert ece.aggregate(sure_and_half_right) == pytest.approx(0.4)
    assert excess.aggregate(sure_and_half_right) == pytest.approx(0.4 - expected_null([0.9] * 100))


def test_labels_may_be_named_or_numbered(make):
    task = make("classification")
    assert [sample.form.label for sample in task.samples("test")] == [2, 0]
    task = make("classification", doc_to_target="{{ 1 }}")
    assert [sample.target for sample in task.samples("test")] == ["maybe", "maybe"]
    task = make("classification", doc_to_target=0)
    assert [sample.target for sample in task.samples("test")] == ["no", "no"]
    task = make("multiple-choice", [{"q": "2+1?", "choices": ["4", "3"], "label": "3"}])
    assert task.samples("test")[0].form.label == 1
    task = make("multiple-choice", [{"q": "2+1?", "choices": ["4", "3"], "label": "1"}])
    assert task.samples("test")[0].form.label == 1
    task = make("multiple-choice", [{"q": "2+1?", "choices": [4, 3], "label": 1}])
    assert task.samples("test")[0].form.choices == ("4", "3")


def test_star_ratings_are_names_when_they_are_text(make):
    rows = [{"q": "x", "label": "3"}]
    task = make("classification", rows, doc_to_choice=["1", "2", "3"])
    assert task.samples("test")[0].target == "3"


def test_a_question_is_answered_in_text(make):
    task = make("question-answering")
    question = first(task)
    assert question.requests == (GenerateRequest("snow  is cold", stop=(".", "\n"), max_tokens=5),)
    assert question.target == "cold / very cold"
    grade = task.grade(question, [GenerateResponse(" Very cold!")])
    assert grade.prediction == " Very cold!"
    assert grade.values == {"exact_match": 1.0, "f1": 1.0}
    assert task.grade(question, [GenerateResponse("very")]).values == {
        "exact_match": 0,
        "f1": pytest.approx(2 / 3),
    }


def test_generation_stops_at_the_next_example_unless_told(make):
    assert first(make("question-answering", generation_kwargs={}, fewshot_delimiter="##")).requests[
        0
    ].stop == ("##",)


def test_sampled_answers_have_a_seed_of_their_own(make):
    sampling = {"do_sample": True, "temperature": 0.7, "top_p": 0.9}
    task = make("question-answering", generation_kwargs=sampling)
    one, two = (question.requests[0] for question in task.questions(Shots(seed=1), TEXT))
    other = next(iter(task.questions(Shots(seed=2), TEXT))).requests[0]
    assert (one.temperature, one.top_p) == (0.7, 0.9)
    assert len({one.seed, two.seed, other.seed}) == 3
    assert one == first(make("question-answering", generation_kwargs=sampling)).requests[0] or one.seed


SAMPLED = {"do_sample": True, "temperature": 0.7}


def test_a_sample_may_be_answered_several_times(make):
    metrics = ["exact_match", "f1", "majority_vote", "pass@1", "pass@2", "pass@4"]
    task = make("question-answering", generation_kwargs=SAMPLED, repeats=4, metric_list=metrics)
    once = first(make("question-answering", generation_kwargs=SAMPLED))
    one, two = task.questions(Shots(seed=0), TEXT)
    assert len({request.seed for request in (*one.requests, *two.requests)}) == 8
    assert one.requests[0] == once.requests[0]
    task = make("question-answering", generation_kwargs=SAMPLED, repeats=4, metric_list=metrics)
    grade = task.grade(one, [GenerateResponse(text) for text in ("hot", "Cold.", "wet", "cold")])
    assert grade.prediction == "Cold."
    assert grade.values == {
        "exact_match": 0.5,
        "f1": 0.5,
        "majority_vote": 1.0,
        "pass@1": 0.5,
        "pass@2": pytest.approx(5 / 6),
        "pass@4": 1.0,
    }


def test_a_thought_is_asked_for(make):
    thinking = first(make("question-answering", thinking={"max_tokens": 9, "end": "so"})).requests[0].thinking
    assert thinking == Thinking(9, "so")
    assert make("question-answering", thinking={"max_tokens": 9}).file.thinking.end == Thinking(9).end
    assert first(make("question-answering")).requests[0].thinking is None


def test_a_text_is_asked_whole(make):
    task = make("language-modelling")
    question = first(task)
    assert question.requests == (RollingRequest("snow  is cold"),)
    assert (question.prompt, question.target) == ("", "snow  is cold")
    values = task.grade(question, [RollingResponse(-6.5)]).values
    assert values == {
        "bits_per_byte": [-6.5, 13],
        "byte_perplexity": [-6.5, 13],
        "word_perplexity": [-6.5, 3],
    }


def test_chinese_has_no_words_to_count(make):
    metrics = make("language-modelling", language="zh").metrics
    assert [metric.name for metric in metrics] == ["bits_per_byte", "byte_perplexity"]


def test_examples(make):
    assert make("classification").examples("train")[0] == Example(
        "Say.\nsnow  is cold Is it", " yes", "snow  is cold", "yes", ("no", "maybe", "yes"), 2
    )
    assert make("multiple-choice").examples("train")[1] == Example(
        "sand", " no", "sand", "no", ("no", "on"), 0
    )
    assert make("question-answering").examples("train")[0] == Example(
        "snow  is cold", " cold", "snow  is cold", "cold"
    )
    assert make("language-modelling").examples("train")[1] == Example("", "sand", "sand", "sand")
    assert make("classification").examples("validation") == []


@pytest.mark.parametrize(
    ("kind", "types", "reason"),
    [
        ("question-answering", HEAD, "needs a model that writes text; this one can only choose"),
        ("question-answering", frozenset({ScoreRequest}), "this one can only score"),
        ("language-modelling", HEAD, "needs a model that gives the probability of a text"),
        (
            "classification",
            frozenset({RollingRequest}),
            "scores a continuation or chooses; this one can only rolling",
        ),
    ],
)
def test_what_does_not_fit_says_why(make, kind, types, reason):
    with pytest.raises(IncompatibleError, match=f"mine: {kind} .*{reason}"):
        first(make(kind), types)
