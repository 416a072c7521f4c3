"""Translations are graded as sacreBLEU grades the whole corpus."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu import corpus_bleu, corpus_chrf
from sacrebleu.metrics import BLEU, CHRF

from text_tasks import TEXT, make_task, write_all
from tianti.core.exceptions import IncompatibleError, TaskError
from tianti.engine import ScoreRequest
from tianti.engine.fake import FakeBackend
from tianti.evaluation.evaluate import evaluate
from tianti.evaluation.score import score_answers
from tianti.tasks import Example, Shots
from tianti.tasks.translation_metrics import (
    bleu_statistics,
    chrf_statistics,
    corpus_chrf_with_words,
    signatures,
    translation_values,
)
from tianti.tasks.translation_metrics import (
    corpus_bleu as bleu_of,
)
from tianti.tasks.translation_metrics import (
    corpus_chrf as chrf_of,
)

GERMAN = [
    ("Der Hund schläft im Garten.", ["Ein Hund schläft im Garten.", "Im Garten schläft der Hund."]),
    ("Das Brot ist warm, sagt sie.", ["Das Brot ist warm, sagte sie.", "Sie sagt, das Brot sei warm."]),
    ("", ["Der Fluss ist kalt.", "Kalt ist der Fluss."]),
    (
        "Ein Kind liest einen Brief am Fluss!",
        ["Ein Kind liest einen Brief am Fluss.", "Ein Kind liest am Fluss."],
    ),
]
CHINESE = [
    ("面包是热的。", ["面包很热。"]),
    ("狗在花园里睡觉", ["狗睡在花园里。"]),
    ("河水abc很冷", ["河水很冷。"]),
]

sentences = st.lists(
    st.sampled_from(["the", "a", "dog", "baker", "reads", "warm", "bread", ",", ".", "cold", "狗", "面包"]),
    max_size=9,
).map(" ".join)
corpora = st.lists(
    st.tuples(sentences, st.tuples(sentences.filter(bool), sentences.filter(bool))), min_size=1, max_size=5
)


@pytest.mark.parametrize(("corpus", "language", "tokenizer"), [(GERMAN, "de", "13a"), (CHINESE, "zh", "zh")])
def test_the_corpus_scores_are_those_of_sacrebleu(corpus, language, tokenizer):
    answers = [answer for answer, _ in corpus]
    references = [list(each) for each in zip(*(found for _, found in corpus), strict=True)]
    values = [translation_values(answer, found, language) for answer, found in corpus]
    bleu = corpus_bleu(answers, references, tokenize=tokenizer).score
    assert bleu_of([value["bleu"] for value in values]) == pytest.approx(bleu, abs=1e-9)
    assert bleu > 5
    assert chrf_of([value["chrf"] for value in values]) == pytest.approx(
        corpus_chrf(answers, references).score
    )
    with_words = corpus_chrf(answers, references, word_order=2).score
    assert corpus_chrf_with_words([value["chrf++"] for value in values]) == pytest.approx(with_words)


@settings(max_examples=60)
@given(corpora)
def test_sums_of_sentences_are_the_corpus(corpus):
    answers = [answer for answer, _ in corpus]
    references = [list(each) for each in zip(*(found for _, found in corpus), strict=True)]
    for language, tokenizer in (("en", "13a"), ("zh", "zh"), ("ja", "char")):
        found = bleu_of([bleu_statistics(answer, each, language) for answer, each in corpus])
        assert found == pytest.approx(corpus_bleu(answers, references, tokenize=tokenizer).score, abs=1e-9)
    found = chrf_of([chrf_statistics(answer, each) for answer, each in corpus])
    assert found == pytest.approx(corpus_chrf(answers, references).score, abs=1e-9)


def test_the_signatures_are_those_of_sacrebleu():
    bleu, chrf = BLEU(tokenize="zh"), CHRF(word_order=2)
    bleu.corpus_score(["狗"], [["狗"]])
    chrf.corpus_score(["狗"], [["狗"]])
    found = signatures("zh")
    assert str(bleu.get_signature()) == "nrefs:1|" + found["bleu"]
    assert str(chrf.get_signature()) == "nrefs:1|" + found["chrf++"]


ROWS = [
    {"source": f"{number} dogs", "target": [f"{number} kleine Hunde schlafen dort", "egal"]}
    for number in range(12)
]
KEYS = {
    "kind": "translation",
    "target_language": "de",
    "doc_to_text": "English: {{source}}\nGerman:",
    "doc_to_target": "target",
    "metric_list": ["bleu", "chrf", "chrf++", "sentence_chrf"],
}


def test_a_run_is_scored_from_its_answers_alone(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    backend = FakeBackend(default_reply=" 3 kleine Hunde schlafen hier\n")
    answers = [answer for shard in evaluate(backend, task, Shots()) for answer in shard]
    scores = {score.metric: score for score in score_answers(task, answers)}
    texts = ["3 kleine Hunde schlafen hier"] * len(ROWS)
    references = [[row["target"][place] for row in ROWS] for place in (0, 1)]
    assert scores["bleu"].value == pytest.approx(corpus_bleu(texts, references).score)
    assert scores["bleu"].method == "BCa bootstrap"
    assert scores["bleu"].low < scores["bleu"].value < scores["bleu"].high
    assert 0 < scores["sentence_chrf"].value < 1
    assert [metric.chance for metric in task.metrics] == [None, None, None, 0.0]
    assert task.metrics[0].signature.startswith("case:mixed|eff:no|tok:13a|smooth:exp|version:2")


def test_a_translation_teaches_its_first_reference(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    prompt = "English: 0 dogs\nGerman:"
    target = "0 kleine Hunde schlafen dort"
    assert task.examples("train")[0] == Example(prompt, " " + target, prompt, target)
    assert write_all(task, ["egal"] * 12)["sentence_chrf"] == [1.0] * 12


def test_what_does_not_fit_is_refused(tmp_path):
    task = make_task(tmp_path, ROWS, **KEYS)
    with pytest.raises(IncompatibleError, match="translation needs a model that writes text") as refused:
        next(iter(task.questions(Shots(), frozenset({ScoreRequest}))))
    assert refused.value.remedy == "take a causal language model"
    for keys, reason in (
        ({"target_language": None}, "'target_language' is missing"),
        ({"repeats": 2}, "'repeats' means nothing for the kind translation"),
        (
            {"kind": "summarisation", "metric_list": []},
            "'target_language' means nothing for the kind summarisation",
        ),
        ({"group": "source"}, "a mean over samples, and metric_list has none"),
    ):
        with pytest.raises(TaskError, match=reason):
            make_task(tmp_path, ROWS, **(KEYS | {"metric_list": ["bleu"]} | keys))
    with pytest.raises(TaskError, match="row 1: doc_to_target gives"):
        make_task(tmp_path, [{"source": "a", "target": []}], **KEYS).samples("test")
    assert {ScoreRequest} < TEXT
