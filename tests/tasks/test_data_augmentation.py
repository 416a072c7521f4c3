"""Generated training texts are worth what a classifier gains from them."""

from __future__ import annotations

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from text_tasks import TEXT, make_task
from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.engine import GenerateRequest, GenerateResponse, ScoreRequest
from tianti.engine.fake import FakeBackend
from tianti.evaluation.evaluate import evaluate
from tianti.evaluation.score import score_answers
from tianti.tasks import Example, Shots


def texts(*pairs):
    return [{"text": text, "label": label} for text, label in pairs]


ROWS = [
    {
        "seeds": texts(("lovely soup", "good"), ("dull soup", "bad"), ("warm tea", "good")),
        "evaluation": texts(
            ("fine bread", "good"), ("grey bread", "bad"), ("fine tea", "good"), ("grey soup", "bad")
        ),
    },
    {
        "seeds": texts(("kind", "good"), ("rude", "bad")),
        "evaluation": texts(("kind shop", "good"), ("rude shop", "bad")),
    },
]
KEYS = {
    "kind": "data-augmentation",
    "doc_to_text": "Mood: {{label}}\nText:",
    "doc_to_target": "{{text}}",
    "augmentation": {"generate": 2},
    "generation_kwargs": {"do_sample": True, "temperature": 1.0, "until": ["\n"], "max_gen_toks": 8},
}


def test_seeds_of_a_label_stand_before_each_new_text(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    question = next(iter(task.questions(Shots(seed=3), TEXT)))
    good = "Mood: good\nText: lovely soup\n\nMood: good\nText: warm tea\n\nMood: good\nText:"
    bad = "Mood: bad\nText: dull soup\n\nMood: bad\nText:"
    assert [request.context for request in question.requests] == [good, good, bad, bad]
    assert len({request.seed for request in question.requests}) == 4
    again = next(iter(task.questions(Shots(seed=3), TEXT)))
    other = next(iter(task.questions(Shots(seed=4), TEXT)))
    assert again.requests == question.requests
    assert not {request.seed for request in other.requests} & {request.seed for request in question.requests}
    assert isinstance(question.requests[0], GenerateRequest)


def accuracy(known, asked):
    """The same classifier, written out."""
    features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    model = LogisticRegression(C=10.0, max_iter=1000)
    model.fit(features.fit_transform([text for text, _ in known]), [label for _, label in known])
    found = model.predict(features.transform([each["text"] for each in asked]))
    return sum(found == [each["label"] for each in asked]) / len(asked)


def test_the_gain_is_that_of_the_classifier(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    question = next(iter(task.questions(Shots(), TEXT)))
    written = [" fine", "fine bread", "grey\n", "dull soup"]  # the last one is a seed
    grade = task.grade(question, [GenerateResponse(text) for text in written])
    seeds = [(each["text"], each["label"]) for each in ROWS[0]["seeds"]]
    new = [("fine", "good"), ("fine bread", "good"), ("grey", "bad")]
    alone, more = accuracy(seeds, ROWS[0]["evaluation"]), accuracy(seeds + new, ROWS[0]["evaluation"])
    assert more > alone
    assert grade.values == {
        "gain": more - alone,
        "augmented_acc": more,
        "seed_acc": alone,
        "usable_share": 0.75,
    }
    assert grade.prediction == "good: fine\ngood: fine bread\nbad: grey"


def test_nothing_new_gains_nothing(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    answers = [answer for shard in evaluate(FakeBackend(), task, Shots()) for answer in shard]
    scores = {score.metric: score for score in score_answers(task, answers)}
    assert (scores["gain"].value, scores["gain"].chance, scores["usable_share"].value) == (0.0, 0.0, 0.0)
    assert scores["gain"].low < 0 < scores["gain"].high
    assert scores["augmented_acc"].value == scores["seed_acc"].value


def test_as_many_texts_to_judge_by_teach_as_a_label_has_seeds(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    examples = task.examples("train")
    taught = [example.target for example in examples]
    assert taught == ["fine bread", "grey bread", "fine tea", "kind shop", "rude shop"]
    assert examples[4] == Example(
        "Mood: bad\nText: rude\n\nMood: bad\nText:", " rude shop", "Mood: bad\nText:", "rude shop"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seeds": texts(("a", "good"))}, "give seeds of each label"),
        ({"evaluation": texts(("a", "odd"))}, "evaluation also odd"),
        ({"seeds": [{"text": "a"}]}, "augmentation: seeds gives"),
        ({"evaluation": []}, "augmentation: evaluation gives"),
    ],
)
def test_a_row_is_an_episode(tmp_path, change, reason):
    with pytest.raises(TaskError, match=reason):
        make_task(tmp_path, [ROWS[0] | change], **KEYS).samples("test")


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(TaskError, match="all the same at temperature 0"):
        make_task(tmp_path, ROWS, **KEYS | {"generation_kwargs": {}})
    task = make_task(tmp_path, ROWS, **KEYS)
    with pytest.raises(IncompatibleError, match="has no solved examples to show"):
        task.questions(Shots(2), TEXT)
    with pytest.raises(IncompatibleError, match="needs a model that writes text"):
        next(iter(task.questions(Shots(), frozenset({ScoreRequest}))))
