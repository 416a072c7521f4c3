"""Replies: what is asked depends on the metrics and the backend; each number is checked against another way to it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu import corpus_bleu

from text_tasks import TEXT, make_task, write_all
from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.fake import FakeBackend
from tianti.evaluation.evaluate import evaluate
from tianti.evaluation.score import score_answers
from tianti.tasks import Example, Shots
from tianti.tasks.dialogue_metrics import distinct, distinct_interval, per_unit, slots_said
from tianti.tasks.translation_metrics import corpus_bleu as bleu_of

ROWS = [
    {
        "history": ["Guest: Bread?", "Shop: Yes.", "Guest: How much?"],
        "response": "It is two coins.",
        "candidates": ["No.", "It is two coins.", "Rain."],
        "slots": {"price": "two coins"},
    },
    {
        "history": ["Guest: When?"],
        "response": "At six.",
        "candidates": ["At six.", "Bread."],
        "slots": {"time": ["six", "6"], "day": None},
    },
    {"history": ["Guest: Bye."], "response": "Bye.", "candidates": ["Bye.", "Oh."], "slots": {}},
]
ALL = [
    "acc",
    "logprob_per_token",
    "logprob_per_byte",
    "bleu",
    "distinct_1",
    "distinct_2",
    "slot_accuracy",
    "joint_slot_accuracy",
]
KEYS = {
    "kind": "dialogue",
    "doc_to_text": "{{history | join('\n')}}\nShop:",
    "doc_to_target": "response",
    "doc_to_choice": "candidates",
    "slots": "slots",
    "metric_list": ALL,
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 9},
}
PROMPT = "Guest: Bread?\nShop: Yes.\nGuest: How much?\nShop:"


def asked(task, types=TEXT):
    return next(iter(task.questions(Shots(), types))).requests


def test_what_the_metrics_need_is_asked(tmp_path):
    scored = [ScoreRequest(PROMPT, " " + text) for text in ROWS[0]["candidates"]]
    written = GenerateRequest(PROMPT, stop=("\n",), max_tokens=9)
    assert asked(make_task(tmp_path, ROWS, **KEYS)) == (*scored, written)
    assert asked(make_task(tmp_path, ROWS, **KEYS | {"metric_list": ["acc", "logprob_per_byte"]})) == tuple(
        scored
    )
    assert asked(make_task(tmp_path, ROWS, **KEYS | {"metric_list": ["bleu", "distinct_1"]})) == (written,)
    only_weighed = make_task(tmp_path, ROWS, **KEYS | {"metric_list": ["logprob_per_byte"]})
    assert asked(only_weighed) == (scored[1],)


def test_what_a_backend_cannot_answer_is_missing_or_refused(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    head = frozenset({ChooseRequest})
    assert asked(task, head) == (ChooseRequest(PROMPT, tuple(ROWS[0]["candidates"])),)
    question = next(iter(task.questions(Shots(), head)))
    grade = task.grade(question, [ChooseResponse((-3.0, -0.1, -4.0))])
    assert (grade.prediction, grade.values) == ("It is two coins.", {"acc": 1.0})
    assert asked(task, frozenset({ScoreRequest})) == asked(task)[:3]
    for metrics, need in (
        (["bleu", "acc"], "writes text, for bleu"),
        (["logprob_per_byte"], "weighs replies"),
    ):
        with pytest.raises(IncompatibleError, match=need):
            asked(make_task(tmp_path, ROWS, **KEYS | {"metric_list": metrics}), head)


def test_a_reply_is_graded_in_every_way(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    question = next(iter(task.questions(Shots(), TEXT)))
    scores = [
        ScoreResponse(-9.0, False, (-9.0,)),
        ScoreResponse(-6.0, False, (-1.0, -5.0)),
        ScoreResponse(-7.0, False, (-7.0,)),
    ]
    grade = task.grade(question, [*scores, GenerateResponse(" Two coins, please.")])
    assert grade.prediction == "Two coins, please."
    assert grade.values["acc"] == 1.0
    assert grade.values["logprob_per_token"] == [-6.0, 2]
    assert grade.values["logprob_per_byte"] == [-6.0, len(" It is two coins.")]
    assert grade.values["distinct_1"] == ["two", "coins", "please"]
    assert (grade.values["slot_accuracy"], grade.values["joint_slot_accuracy"]) == ([1, 1], 1.0)
    assert bleu_of([grade.values["bleu"]]) == pytest.approx(
        corpus_bleu(["Two coins, please."], [["It is two coins."]]).score
    )
    assert [metric.chance for metric in task.metrics] == [pytest.approx((1 / 3 + 1) / 3), *[None] * 6, 0.0]
    assert task.metrics[3].signature.startswith("case:mixed|eff:no|tok:13a")
    assert task.examples("train")[1] == Example(
        "Guest: When?\nShop:", " At six.", "Guest: When?\nShop:", "At six.", ("At six.", "Bread."), 0
    )


def test_samples_without_slots_do_not_count_in_their_accuracies(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS | {"metric_list": ["slot_accuracy", "joint_slot_accuracy"]})
    answers = [a for shard in evaluate(FakeBackend(default_reply="at 6"), task, Shots()) for a in shard]
    slots, joint = score_answers(task, answers)
    assert (slots.value, joint.value, joint.n, joint.errors) == (0.5, 0.5, 2, 0)


def test_without_candidates(tmp_path):
    keys = {key: value for key, value in KEYS.items() if key not in ("doc_to_choice", "slots", "metric_list")}
    task = make_task(tmp_path, ROWS, **keys)
    assert [metric.name for metric in task.metrics] == [
        "logprob_per_byte",
        "bleu",
        "distinct_1",
        "distinct_2",
    ]
    assert len(asked(task)) == 2
    assert write_all(make_task(tmp_path, ROWS, metric_list=["distinct_1"], **keys), ["a b", "b", ""]) == {
        "distinct_1": [["a", "b"], ["b"], []]
    }
    for metric, key in (("acc", "doc_to_choice"), ("slot_accuracy", "slots")):
        with pytest.raises(TaskError, match=f"{metric} needs the key '{key}'"):
            make_task(tmp_path, ROWS, metric_list=[metric], **keys)


@pytest.mark.parametrize("slots", ["two", {"price": ""}, {"price": ["two", " "]}])
def test_slots_are_values_by_name(tmp_path, slots):
    with pytest.raises(TaskError, match="row 1: slots"):
        make_task(tmp_path, [ROWS[0] | {"slots": slots}], **KEYS).samples("test")


def test_a_value_is_said_word_by_word():
    said = {"a": ("two coins",), "b": ("six", "6")}
    assert slots_said("Two coins!", said, "en") == 1
    assert slots_said("two big coins at 6", said, "en") == 1
    assert slots_said("TWO COINS at six.", said, "en") == 2
    assert slots_said("sixty-two coinset", said, "en") == 0
    assert slots_said("共两枚硬币。", {"a": ("两枚",)}, "zh") == 1


replies = st.lists(st.lists(st.sampled_from("abcd"), max_size=5), min_size=1, max_size=6)


@given(replies, st.sampled_from([1, 2]))
def test_distinct_counts_different_runs(values, n):
    runs = [tuple(reply[i : i + n]) for reply in values for i in range(len(reply)) if i + n <= len(reply)]
    found = distinct(values, n)
    assert math.isnan(found) if not runs else found == len(set(runs)) / len(runs)


@given(replies, st.sampled_from([1, 2]))
def test_the_interval_of_distinct_is_the_jackknife(values, n):
    """Against leaving each reply out by hand."""
    interval = distinct_interval(values, None, n)
    without = [distinct(values[:place] + values[place + 1 :], n) for place in range(len(values))]
    if len(values) < 2 or any(map(math.isnan, without)):
        assert interval.low is None
        return
    middle = sum(without) / len(without)
    variance = (len(values) - 1) / len(values) * sum((each - middle) ** 2 for each in without)
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * math.sqrt(variance)
    assert interval.low == pytest.approx(max(interval.estimate - half, 0))
    assert interval.high == pytest.approx(min(interval.estimate + half, 1))


def test_clusters_are_left_out_whole():
    values = [["a", "b"], ["a"], ["c"], ["c", "d"]]
    interval = distinct_interval(values, ["x", "x", "y", "y"], 1)
    assert (interval.clusters, interval.n) == (2, 4)
    assert per_unit([[0, 0]]) != per_unit([[0, 0]])
