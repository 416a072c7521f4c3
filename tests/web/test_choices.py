"""The choices on the page of an answer: the right ones, as probable as the task's own confidence has them."""

import json
import math

import pytest

from tianti.engine import ChooseRequest, ScoreRequest
from tianti.engine.fake import FakeBackend
from tianti.evaluation.answer import Answer
from tianti.evaluation.evaluate import evaluate
from tianti.tasks.task import Shots
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.wording import Wording
from tianti.tasks.yaml_task import YamlTask
from tianti.web.choices import choices_of

LABELS = {
    "task": "mine",
    "kind": "classification",
    "data": "rows.jsonl",
    "doc_to_text": "Review: {{text}} =>",
    "doc_to_target": "label",
    "doc_to_choice": ["bad", "fair", "good"],
    "head_text": "text",
    "templates": {"ask": {"doc_to_text": "{{text}}: what is it?"}},
}
OPTIONS = {
    "task": "mine",
    "kind": "multiple-choice",
    "data": "rows.jsonl",
    "doc_to_text": "{{text}}\n{% for each in options %}{{loop.index}}. {{each}}\n{% endfor %}Answer:",
    "doc_to_target": "label",
    "doc_to_choice": "options",
    "head_text": "text",
}
ROWS = [
    {
        "text": f"He came to place {number}",
        "other": f"She came to place {number}",
        "label": number % 3,
        "options": [f"{name} {number}" for name in ("first", "second", "third")],
    }
    for number in range(9)
]
PLAIN = {"adaptation": {"settings": {}}, "task": {"metrics": [{"name": "acc", "chance": 1 / 3}]}}


class Scores(FakeBackend):
    request_types = frozenset({ScoreRequest})


class Head(FakeBackend):
    request_types = frozenset({ChooseRequest})


def answers(folder, keys, rows=ROWS, wording=None, backend=Scores, **more):
    """The answers to the rows as a task file has them asked, and of the manifest what names their choices."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    keys = keys | {"metric_list": ["acc", "ece"]} | more
    task = YamlTask(parse_task_file(keys, "mine.yaml"), folder / "mine.yaml")
    wording = wording or Wording()
    manifest = {
        "adaptation": {"settings": {"calibrate": True} if wording.calibrate else {}},
        "task": {"metrics": [{"name": each.name, "chance": each.chance} for each in task.metrics]},
    }
    shards = evaluate(backend(), task, Shots(wording=wording))
    return [answer for shard in shards for answer in shard], manifest


@pytest.mark.parametrize(
    ("keys", "more", "forms"),
    [
        (LABELS, {}, 1),
        (LABELS, {"perturbations": ["lowercase", "misspelling"]}, 3),
        (LABELS, {"counterfactual": {"text": "other"}}, 2),
        (LABELS, {"counterfactual": {"text": "other"}, "perturbations": ["lowercase"]}, 3),
        (LABELS, {"wording": Wording(calibrate=True)}, 1),
        (LABELS, {"wording": Wording(calibrate=True), "counterfactual": {"text": "other"}}, 2),
        (LABELS, {"wording": Wording(calibrate=True), "perturbations": ["lowercase"]}, 2),
        (LABELS, {"wording": Wording(template="all")}, 1),
        (OPTIONS, {}, 1),
        (OPTIONS, {"option_order": 3}, 3),
        (OPTIONS, {"option_order": 4, "perturbations": ["lowercase"]}, 5),
    ],
)
@pytest.mark.parametrize("backend", [Scores, Head])
def test_probabilities_are_those_of_the_tasks_own_confidence(tmp_path, keys, more, forms, backend):
    if backend is Head and "wording" in more:
        pytest.skip("a head reads no prompt")
    found, manifest = answers(tmp_path, keys, backend=backend, **more)
    assert {answer.values["acc"] for answer in found} == {0.0, 1.0}
    for answer in found:
        orders = {name: answer.values[name] for name in ("position_gap",) if name in answer.values}
        bare = Answer(**{**vars(answer), "values": {"acc": answer.values["acc"], **orders}})
        choices = choices_of(bare, manifest)
        texts = ROWS[answer.position // (2 if more.get("wording") == Wording(template="all") else 1)]
        known = texts["options"] if keys is OPTIONS else LABELS["doc_to_choice"]
        assert (choices.forms, len(choices.shown)) == (forms, 3)
        assert sum(each.probability for each in choices.shown) == pytest.approx(1)
        (chosen,) = [each for each in choices.shown if each.chosen]
        assert chosen.probability == pytest.approx(answer.values["ece"][0])
        assert all(each.text in ("", known[each.number - 1]) for each in choices.shown)
        assert chosen.text == answer.prediction == known[chosen.number - 1]
        assert chosen.right == (answer.values["acc"] == 1)


def test_other_orders_of_the_options_are_not_taken_for_choices(tmp_path):
    """Each option has one probability wherever it stands: what is shown beside it has to be its own."""

    class ByContent(Scores):
        def _answer(self, request):
            place = ("first", "second", "third").index(request.continuation.split()[0])
            usual = request.context.index("first") < request.context.index("second")
            logprob = (-1.0, -2.0, -3.0)[place] if usual else (-3.0, -2.0, -1.0)[place]
            return super()._answer(request).__class__(logprob, is_greedy=False)

    found, manifest = answers(tmp_path, OPTIONS, backend=ByContent, option_order=6)
    total = sum(math.exp(each) for each in (-1, -2, -3))
    for answer, row in zip(found, ROWS, strict=True):
        shown = choices_of(answer, manifest).shown
        assert [each.probability for each in shown] == pytest.approx(
            [math.exp(-each) / total for each in (1, 2, 3)]
        )
        assert shown[0].chosen
        assert [each.number - 1 for each in shown if each.right] == [row["label"]]
        assert {shown[0].text, shown[row["label"]].text} == {row["options"][0], row["options"][row["label"]]}


def test_the_number_of_choices_is_not_guessed(tmp_path):
    rows = [{**row, "options": row["options"][: 2 + row["label"] // 2]} for row in ROWS]
    found, manifest = answers(tmp_path, OPTIONS, rows, perturbations=["lowercase"])
    assert {choices_of(answer, manifest).forms for answer in found} == {None}
    assert not choices_of(found[0], manifest).shown
    # Of other orders it is known for each question how many there were.
    found, manifest = answers(tmp_path, OPTIONS, rows, option_order=2)
    assert [len(choices_of(answer, manifest).shown) for answer in found] == [
        len(row["options"]) for row in rows
    ]


def test_a_chained_or_trained_prompt_may_be_calibrated_too(tmp_path):
    found, manifest = answers(tmp_path, LABELS, wording=Wording(calibrate=True))
    inner = manifest["adaptation"]
    chain = {**manifest, "adaptation": {"settings": {"steps": [{"name": "x", "settings": {}}, inner]}}}
    assert choices_of(found[0], chain) == choices_of(found[0], manifest)
    assert choices_of(found[0], chain).calibrated


def test_what_was_written_is_no_choice():
    scored = tuple({"logprob": value, "is_greedy": False} for value in (-1.0, -2.0))
    facts = {"sample_id": "s", "repeat": 0, "state": "ok", "prompt": "p", "target": "yes"}
    written = Answer(
        **facts, responses=(*scored, {"text": "so be it"}), prediction="so be it", values={"acc": 1.0}
    )
    assert [(each.text, each.right) for each in choices_of(written, PLAIN).shown] == [
        ("yes", True),
        ("", False),
    ]
    assert not choices_of(Answer(**facts, responses=({"text": "x", "thought": "so"},)), PLAIN)
    assert not choices_of(Answer(**{**facts, "state": "error"}, responses=scored), PLAIN)


def test_lm_evals_mutual_information_asks_for_each_choice_twice():
    scored = tuple({"logprob": value, "is_greedy": False} for value in (-1.0, -2.0, -0.1, -0.2))
    answer = Answer("s", 0, "ok", "p", "yes", prediction="no", responses=scored)
    metrics = [{"name": "acc", "chance": 0.5}, {"name": "acc_mutual_info", "chance": 0.5}]
    found = choices_of(answer, {**PLAIN, "task": {"metrics": metrics}})
    assert [(each.logprob, each.text) for each in found.shown] == [(-1.0, "no"), (-2.0, "")]
