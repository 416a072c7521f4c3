"""Texts that must keep constraints."""

from __future__ import annotations

import pytest

from text_tasks import make_task, write_all
from tianti.core.exceptions import TaskError
from tianti.tasks import Example
from tianti.tasks.kinds.controllable_generation import has_words, text_length

ROWS = [
    {"words": ["soup"], "mood": "good", "most": 5, "text": "Warm and lovely soup."},
    {"words": ["big lamp", "shop"], "mood": "bad", "most": 8, "text": "A dull big lamp, a dull shop."},
    {"words": ["tea"], "mood": "good", "most": 5, "text": "Lovely tea."},
    {"words": ["tea"], "mood": "bad", "most": 5, "text": "Dull and cold tea."},
]
KEYS = {
    "kind": "controllable-generation",
    "doc_to_text": "Words: {{words | join(', ')}}\nText:",
    "doc_to_target": "text",
    "constraints": {"keywords": "words", "at_most": "most", "sentiment": "mood"},
}


def test_keywords_length_and_sentiment(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    assert [metric.name for metric in task.metrics] == ["all_kept", "share_kept"]
    found = write_all(
        task, ["Lovely soup!", "A lovely BIG LAMP in a big and lovely shop here.", "Dull soup", ""]
    )
    assert found["all_kept"] == [1.0, 0.0, 0.0, 0.0]
    # The second is too long, and its judge has seen lamps and shops in bad texts only: it finds it bad, as asked.
    assert found["share_kept"] == [[3, 3], [3, 4], [1, 3], [0, 3]]
    prompt = "Words: soup\nText:"
    assert task.examples("train")[0] == Example(
        prompt, " Warm and lovely soup.", prompt, "Warm and lovely soup."
    )


def test_references_keep_what_can_be_counted(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    assert write_all(task, [row["text"] for row in ROWS])["all_kept"] == [1.0] * 4


def test_sentiment_is_judged_from_the_training_split_only(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS | {"data": "rows.jsonl"})
    with pytest.raises(TaskError, match="judged by what the training split shows, and it has no text"):
        write_all(task, [""] * 4 and ["a"] * 4)


def test_instructions_of_ifeval(tmp_path):
    rows = [
        {"prompt": "Say", "ids": ["punctuation:no_comma", "startend:quotation"], "kwargs": [{}, {}]},
        {
            "prompt": "Go",
            "ids": ["detectable_format:number_bullet_lists"],
            "kwargs": [{"num_bullets": 1, "x": None}],
        },
    ]
    keys = {
        "kind": "controllable-generation",
        "doc_to_text": "prompt",
        "doc_to_target": "{{''}}",
        "constraints": {"instructions": "ids", "arguments": "kwargs"},
        "metric_list": ["all_kept", "share_kept", "all_kept_loose", "share_kept_loose"],
    }
    found = write_all(make_task(tmp_path, rows, **keys), ['"a"', "Sure:\n* a"])
    assert found["all_kept"] == [1.0, 1.0]
    assert found["share_kept"] == [[2, 2], [1, 1]]
    assert write_all(make_task(tmp_path, rows, **keys), ['Sure,\n"a"', "a"]) == {
        "all_kept": [0.0, 0.0],
        "share_kept": [[0, 2], [0, 1]],
        "all_kept_loose": [1.0, 0.0],
        "share_kept_loose": [[2, 2], [0, 1]],
    }
    for changed, reason in (
        ({"ids": ["nothing:at_all"], "kwargs": [{}]}, "unknown instruction 'nothing:at_all'"),
        ({"kwargs": [{}, {}, {}]}, "2 instructions and arguments for 3"),
        ({"ids": [], "kwargs": []}, "has no constraint to keep"),
        ({"ids": "x"}, "instructions gives 'x'"),
    ):
        with pytest.raises(TaskError, match=reason):
            make_task(tmp_path, [rows[0] | changed], **keys).samples("test")


@pytest.mark.parametrize(
    ("constraints", "reason"),
    [
        ({}, "names no column"),
        ({"arguments": "most", "at_most": "most"}, "arguments are those of instructions"),
    ],
)
def test_constraints_name_columns(tmp_path, constraints, reason):
    with pytest.raises(TaskError, match=reason):
        make_task(tmp_path, ROWS, **KEYS | {"constraints": constraints})


def test_words_and_lengths():
    assert has_words("A Big lamp!", "big lamp", "en")
    assert not has_words("biggest lamp", "big lamp", "en")
    assert has_words("米拉在琥珀巷。", "琥珀巷", "zh")
    assert text_length("A big  lamp!", "en") == 3
    assert text_length("很好， 真的。", "zh") == 6
