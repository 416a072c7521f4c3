"""The library's tasks of pairs, entities, relations and spans: they fit the generated rows."""

from __future__ import annotations

import pytest

from tianti.engine import (
    ChooseRequest,
    GenerateRequest,
    GenerateResponse,
    ScoreRequest,
    SpanRequest,
    SpanResponse,
    TagRequest,
)
from tianti.engine import TagResponse as Tagged
from tianti.tasks import Shots, load_tasks

HEADS = frozenset({ChooseRequest, TagRequest, SpanRequest})
TEXT = frozenset({ScoreRequest, GenerateRequest})
NAMES = [f"nano/{kind}{end}" for kind in ("pairs", "entities", "relations", "spans") for end in ("", "-zh")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_every_row_is_a_sample_that_heads_and_prompts_can_be_asked(name, split):
    (task,) = load_tasks(f"{name}(split={split})")
    samples, rows = task.samples(split), task.rows(split)
    assert len(samples) == len(rows) == {"train": 256, "test": 200}[split]
    between = "；" if name.endswith("zh") else "; "
    for sample, row in zip(samples, rows, strict=True):
        if "entities" in name:
            assert sorted(sample.target.split(between)) == sorted(row["answer"].split(between))
        if "spans" in name:
            start, end = sample.form.span
            assert row["passage"][start:end] == row["answers"][0]
    assert len(list(task.questions(Shots(), HEADS))) == len(rows)
    assert len(list(task.questions(Shots(2), TEXT, 3))) == 3


@pytest.mark.parametrize("language", ["", "-zh"])
def test_the_right_answer_is_right(language):
    (task,) = load_tasks(f"nano/entities{language}")
    for question in task.questions(Shots(), HEADS):
        for response in (Tagged(question.sample.form.tags), GenerateResponse(question.sample.target)):
            right, claimed, there = task.grade(question, [response]).values["span_f1"]
            assert right == claimed == there, question.sample
    (task,) = load_tasks(f"nano/spans{language}")
    for question in task.questions(Shots(), HEADS):
        form = question.sample.form
        answer = SpanResponse(form.passage[slice(*form.span)], *form.span, 0.0)
        assert task.grade(question, [answer]).values["exact_match"] == 1.0


@pytest.mark.parametrize(("name", "labels"), [("nano/pairs", 3), ("nano/pairs-zh", 3), ("nano/relations", 7)])
def test_every_label_occurs(name, labels):
    (task,) = load_tasks(name)
    for split in ("train", "test"):
        assert {sample.form.label for sample in task.samples(split)} == set(range(labels))
