"""The answer at the end of a chain of thought."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.tasks.extraction import RULES, extract, last_number


@pytest.mark.parametrize(
    ("text", "rule", "choices", "answer"),
    [
        ("He has 3.\nThe answer is 18.", "answer", (), "18"),
        ("9 * 2 = 18\n#### 18", "answer", (), "18"),
        ("先算三乘二。\n答案：六。", "answer", (), "六"),
        ("所以答案是 42。", "answer", (), "42"),
        ("First this.\nAmber Lane.\n", "answer", (), "Amber Lane"),
        ("", "answer", (), ""),
        ("She makes $1,218.50 in 2 days, 1,218.50", "last-number", (), "1218.5"),
        ("so -5", "last-number", (), "-5"),
        ("none", "last-number", (), ""),
        ("A is wrong. The answer is (B).", "letter", ("red", "blue"), "blue"),
        ("I think C", "letter", ("red", "blue"), ""),
        ("I take B", "letter", (), "B"),
        ("It is not positive. So the answer is negative.", "choice", ("positive", "negative"), "negative"),
        ("positively grim, so: Negative", "choice", ("positive", "negative"), "negative"),
        ("很难吃，所以是差评。", "choice", ("好评", "差评"), "差评"),
        ("who knows", "choice", ("positive", "negative"), ""),
        ("a=1 a=2", r"a=(\d)", (), "2"),
        ("x7 x8", r"x\d", (), "x8"),
        ("nothing", r"a=(\d)?", (), ""),
    ],
)
def test_rules(text, rule, choices, answer):
    assert extract(text, rule, choices) == answer


@given(st.text(max_size=60), st.sampled_from(RULES))
def test_any_text_gives_an_answer_or_none(text, rule):
    choices = ("good", "bad") if rule in ("letter", "choice") else ()
    found = extract(text, rule, choices)
    assert found in (*choices, "") if choices else isinstance(found, str)


@given(st.integers(-(10**9), 10**9), st.text(string.ascii_letters + " ", max_size=8))
def test_a_number_is_found_behind_any_words_and_with_commas(number, words):
    assert last_number(f"{words} {number:,}") == str(number)
    assert re.fullmatch(r"-?\d+", last_number(f"{number}.00"))
