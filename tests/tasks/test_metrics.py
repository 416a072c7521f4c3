from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tianti.tasks.kinds import KINDS
from tianti.tasks.metrics import (
    METRICS,
    answer_tokens,
    bits_per_byte,
    count_bytes,
    count_words,
    exact_match,
    macro_f1,
    majority,
    mean,
    overlap_f1,
    pass_at,
    weighted_perplexity,
)

label_pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)
logprobs = st.lists(st.tuples(st.floats(-500, -0.01), st.integers(1, 300)), min_size=1, max_size=20)
ascii_texts = st.text("abthe AN.,!'$-12 ", max_size=20)
chinese_texts = st.text("小镇的面包店a b12。，！“”《 ", max_size=20)


@given(label_pairs)
def test_macro_f1_is_that_of_scikit_learn(pairs):
    sklearn = pytest.importorskip("sklearn.metrics")
    gold, predicted = zip(*pairs, strict=True)
    assert macro_f1(pairs) == pytest.approx(
        sklearn.f1_score(gold, predicted, average="macro", zero_division=0)
    )


@given(logprobs)
def test_perplexities_are_those_of_lm_eval(pairs):
    reference = pytest.importorskip("lm_eval.api.metrics")
    assert bits_per_byte(pairs) == pytest.approx(reference.bits_per_byte(pairs), rel=1e-12)
    assume(bits_per_byte(pairs) < 900)
    assert weighted_perplexity(pairs) == pytest.approx(reference.weighted_perplexity(pairs), rel=1e-9)


@given(st.text(max_size=40))
def test_words_and_bytes_are_counted_as_in_lm_eval(text):
    task = pytest.importorskip("lm_eval.api.task").PerplexityTask
    assert count_words(text) == task.count_words(text)
    assume(not any("\ud800" <= character <= "\udfff" for character in text))
    assert count_bytes(text) == task.count_bytes(text)


def test_a_perplexity_beyond_a_float_is_infinite():
    assert weighted_perplexity([(-1e6, 1)]) == math.inf


@given(st.lists(st.floats(0, 1), min_size=1), st.randoms())
def test_the_mean_does_not_depend_on_the_order(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert mean(values) == mean(shuffled)


@pytest.mark.parametrize(("language", "texts"), [("en", ascii_texts), ("zh", chinese_texts)])
@given(data=st.data())
def test_answers_are_compared_as_mlqa_compares_them(language, texts, data):
    """MLQA's English equals SQuAD's on ASCII text."""
    reference = pytest.importorskip("lm_eval.tasks.mlqa.utils")
    prediction, answer = data.draw(texts), data.draw(texts)
    assert exact_match(prediction, [answer], language) == reference.exact_match_score(
        prediction, answer, language
    )
    assume(answer_tokens(prediction, language) or answer_tokens(answer, language))
    expected = reference.f1_score(prediction, answer, language)
    assert overlap_f1(prediction, [answer], language) == pytest.approx(expected)


@given(ascii_texts, st.lists(ascii_texts, min_size=1, max_size=3), ascii_texts)
def test_answer_f1_is_a_share_that_never_falls_with_another_right_answer(prediction, answers, another):
    score = overlap_f1(prediction, answers, "en")
    assert 0 <= score <= 1
    assert overlap_f1(prediction, [*answers, another], "en") >= score
    if exact_match(prediction, answers, "en"):
        assert score == 1


@given(ascii_texts, ascii_texts)
def test_answer_f1_is_symmetric(left, right):
    assert overlap_f1(left, [right], "en") == overlap_f1(right, [left], "en")


def test_normal_forms():
    assert answer_tokens("The U.S. a  dollar!", "en") == ["us", "dollar"]
    assert answer_tokens("好评！ 25 克 iPhone。", "zh") == ["好", "评", "25", "克", "iphone"]
    assert answer_tokens("Der Hund – ein Tier", "de") == ["der", "hund", "ein", "tier"]
    assert exact_match(" three.", ["3", "three"], "en") == 1
    assert overlap_f1("在面包店", ["面包店"], "zh") == pytest.approx(6 / 7)


def test_an_empty_answer_matches_an_empty_normal_form_only():
    assert overlap_f1("", ["the"], "en") == 1
    assert overlap_f1("", ["cat"], "en") == 0


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_pass_at_k_is_the_share_of_all_choices_of_k_answers_with_a_right_one(right, data):
    k = data.draw(st.integers(1, len(right)))
    chosen = [any(some) for some in combinations(right, k)]
    assert pass_at(k, len(right), sum(right)) == pytest.approx(sum(chosen) / len(chosen))


def test_the_majority_is_counted_in_normal_form_and_ties_go_to_the_first():
    assert majority(["seven", "The 8!", "8", "nine"], "en") == "The 8!"
    assert majority(["b", "a", "a", "b"], "en") == "b"
    assert majority(["only"], "en") == "only"


def test_every_metric_of_every_kind_is_listed():
    used = {(name, rule) for kind in KINDS.values() for name, rule in kind.metrics.items()}
    assert used == {(name, rule) for name, rules in METRICS.items() for rule in rules}
    assert all(rule.name == name for name, rule in used)


def test_every_metric_says_what_it_is():
    for kind in KINDS.values():
        for name, rule in kind.metrics.items():
            metric = rule.metric(0.5)
            assert (rule.name, metric.name, metric.chance) == (name, name, 0.5)
            assert rule.summary
            assert rule.version >= 1
