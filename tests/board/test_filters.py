"""The words of an address: what is written is read back, and what is none is told or ignored."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.board.filters import EVERYTHING, KEYS, Condition, Selection, read, write
from tianti.core.exceptions import InputError, UnknownNameError

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
several = st.lists(texts, max_size=3, unique=True).map(tuple)
conditions = st.builds(
    Condition,
    texts,
    st.sampled_from(["lt", "le", "gt", "ge"]),
    st.floats(allow_nan=False, allow_infinity=False),
)
selections = st.builds(
    Selection,
    search=st.one_of(st.just(""), texts),
    regimes=several,
    families=several,
    provenances=several,
    languages=several,
    conditions=st.lists(conditions, max_size=3, unique_by=str).map(tuple),
    columns=st.lists(texts.filter(lambda text: "," not in text), max_size=3).map(tuple),
    sort=several,
)


@given(selections)
def test_what_is_written_is_read_back(selection):
    address = write(selection)
    assert read(address) == selection
    assert read(f"https://board.example/en/b/all/?{address}#top") == selection
    assert read(f"?{address}&unknown=1&r=") == selection
    assert bool(selection) == bool(address)


def test_the_words_of_an_address():
    address = "q=llama&r=lora&r=full&family=causal&lang=zh&f=parameters:lt:8e9&f=a:b:ge:0.5&cols=mean,agnews&s=-mean"
    assert read(address) == Selection(
        search="llama",
        regimes=("lora", "full"),
        families=("causal",),
        languages=("zh",),
        conditions=(Condition("parameters", "lt", 8e9), Condition("a:b", "ge", 0.5)),
        columns=("mean", "agnews"),
        sort=("-mean",),
    )
    assert write(read(address)) == address.replace("8e9", "8000000000")
    assert read("") == EVERYTHING
    assert read("q=what?") == Selection(search="what?")


def test_what_is_said_later_counts_and_what_is_said_twice_counts_once():
    assert read("q=a&r=x&s=a", ("q", "b"), ("r", "x"), ("r", "y"), ("s", "")) == Selection(
        search="b", regimes=("x", "y"), sort=("a",)
    )


def test_every_part_of_a_selection_has_a_key():
    assert set(KEYS.values()) == set(Selection.__dataclass_fields__)


@pytest.mark.parametrize(
    "text", ["", "mean", "mean:lt", "mean:lt:", ":lt:3", "mean:lt:x", "mean:lt:nan", "mean:lt:inf"]
)
def test_conditions_that_cannot_be_read(text):
    with pytest.raises(InputError, match="filter"):
        Condition.of(text)


def test_an_operator_that_is_none_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'lt' or 'le'"):
        Condition.of("mean:lte:3")


@given(st.floats(allow_nan=False), st.floats(allow_nan=False, allow_infinity=False))
def test_conditions_split_what_has_a_number(value, bound):
    less, most, more, least = (Condition("x", operator, bound) for operator in ("lt", "le", "gt", "ge"))
    assert less.holds(value) != least.holds(value)
    assert most.holds(value) != more.holds(value)
    assert (most.holds(value) and not less.holds(value)) == math.isclose(value, bound, rel_tol=0, abs_tol=0)
    assert not any(each.holds(None) for each in (less, most, more, least))
