"""Summaries are graded by ROUGE: as rouge-score does in English, by characters in Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from text_tasks import make_task, write_all
from tianti.tasks import Example
from tianti.tasks.summary_metrics import rouge

NAMES = ["rouge1", "rouge2", "rougeL"]
texts = st.lists(
    st.sampled_from(
        ["the", "old", "bridge", "bridges", "fell", "falls", "into", "river", "Rivers", ",", "."]
    ),
    max_size=9,
).map(" ".join)


@given(texts, st.lists(texts, min_size=1, max_size=3))
def test_english_is_graded_as_rouge_score_does(answer, references):
    found = rouge(answer, references, "en")
    scorer = RougeScorer(NAMES, use_stemmer=True)
    for name in NAMES:
        assert found[name] == pytest.approx(
            max(scorer.score(each, answer)[name].fmeasure for each in references)
        )


@given(st.text("老桥塌了进河里，。", max_size=10), st.text("老桥塌了进河里，。", max_size=10))
def test_chinese_is_graded_by_characters(answer, reference):
    """The same as English with a letter for each character."""
    letters = str.maketrans("老桥塌了进河里，。", "bcdfghj  ")

    def spaced(text: str) -> str:
        return " ".join(text.translate(letters))

    plain = RougeScorer(NAMES, use_stemmer=False)
    expected = plain.score(spaced(reference), spaced(answer))
    found = rouge(answer, [reference], "zh")
    for name in NAMES:
        assert found[name] == pytest.approx(expected[name].fmeasure)


def test_words_of_other_scripts_count():
    assert rouge("Größe zählt", ["Größe zählt"], "de") == dict.fromkeys(NAMES, 1.0)
    assert rouge("GPT-2 很快", ["gpt 2很快"], "zh")["rougeL"] == 1.0


def test_a_task_of_summaries(tmp_path):
    rows = [
        {"document": "The bridge fell.", "summary": ["It fell.", "The bridge fell."]},
        {"document": "B", "summary": "Rain"},
    ]
    keys = {
        "kind": "summarisation",
        "doc_to_text": "Text: {{document}}\nSummary:",
        "doc_to_target": "summary",
    }
    task = make_task(tmp_path, rows, **keys)
    assert [metric.name for metric in task.metrics] == ["rougeL", "rouge1", "rouge2"]
    assert {metric.chance for metric in task.metrics} == {0.0}
    found = write_all(task, [" The bridges fell \n", ""])
    assert found == {"rougeL": [1.0, 0.0], "rouge1": [1.0, 0.0], "rouge2": [1.0, 0.0]}
    prompt = "Text: The bridge fell.\nSummary:"
    assert task.examples("train")[0] == Example(prompt, " It fell.", prompt, "It fell.")
    grouped = make_task(tmp_path, rows, group="document", **keys)
    assert "fairness_gap" in [metric.name for metric in grouped.metrics]
