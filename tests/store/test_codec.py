from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import StoreError
from tianti.evaluation.answer import Answer
from tianti.store.codec import answer_from_text, answer_to_text, to_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.builds(
    Answer,
    sample_id=TEXT,
    repeat=st.integers(0, 9),
    state=st.sampled_from(["ok", "error", "skipped"]),
    prompt=TEXT,
    target=TEXT,
    prediction=TEXT,
    values=st.dictionaries(TEXT, JSON, max_size=3),
    responses=st.lists(st.dictionaries(TEXT, JSON, max_size=3), max_size=2).map(tuple),
    reason=TEXT,
    cluster=TEXT,
    tokens=st.integers(0, 2**40),
    position=st.integers(0, 2**40),
)


@given(ANSWERS)
def test_an_answer_comes_back_as_it_went(answer):
    text = answer_to_text(answer)
    assert answer_from_text(text) == answer
    assert answer_to_text(answer_from_text(text)) == text


@given(st.dictionaries(TEXT, JSON))
def test_equal_objects_have_one_text(value):
    backwards = dict(reversed(value.items()))
    assert to_text(value, "it") == to_text(MappingProxyType(backwards), "it")


@pytest.mark.parametrize("value", [1, 1.0, True, -0.0, 2**80, 0.1 + 0.2])
def test_numbers_keep_their_type(value):
    assert repr(json.loads(to_text(value, "it"))) == repr(value)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {"deep": [-float("inf")]}, {1, 2}, b"bytes", object(), {"a": 1, 2: 3}],
)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(StoreError, match="it cannot be stored as JSON"):
        to_text(value, "it")


def test_a_structure_that_holds_itself_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(StoreError, match="it cannot be stored as JSON"):
        to_text(value, "it")


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(StoreError, match=r"the answer to sample 's' cannot be stored: '\\ud800' is half"):
        answer_to_text(Answer("s", 0, "ok", "a\ud800b", "t"))


@pytest.mark.parametrize(
    ("field", "value"), [("prompt", None), ("target", 1), ("tokens", 1.0), ("repeat", True)]
)
def test_a_field_of_the_wrong_type_is_refused_before_it_is_stored(make, field, value):
    with pytest.raises(StoreError, match=f"{field} must be (str|int), not"):
        answer_to_text(make.answer(1, **{field: value}))
