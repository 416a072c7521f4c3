"""What is put on record: rounded to ten digits, named by its content."""

import json
from dataclasses import dataclass, field, make_dataclass

from hypothesis import given
from hypothesis import strategies as st

from tianti.board.rounding import as_rounded, name_of, rounded
from tianti.core.fingerprint import fingerprint

numbers = st.floats(-1e300, 1e300)


@dataclass(frozen=True)
class Leaf:
    value: float | None = None
    words: tuple[str, ...] = ()
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tree:
    name: str
    leaves: tuple[Leaf, ...] = ()


leaves = st.builds(
    Leaf,
    st.none() | numbers,
    st.lists(st.text(max_size=3), max_size=2).map(tuple),
    st.dictionaries(st.text(max_size=3), numbers, max_size=2),
)
trees = st.builds(Tree, st.text(max_size=3), st.lists(leaves, max_size=3).map(tuple))


@given(trees)
def test_rounding_keeps_ten_digits_and_changes_nothing_the_second_time(tree):
    once = as_rounded(tree)
    assert as_rounded(once) is once
    for leaf, old in zip(once.leaves, tree.leaves, strict=True):
        assert leaf.value is old.value or leaf.value == float(f"{old.value:.10g}")
        assert leaf.more == {key: float(f"{value:.10g}") for key, value in old.more.items()}
        assert leaf.words == old.words


@given(trees)
def test_json_of_a_thing_is_that_of_the_rounded_thing(tree):
    assert rounded(tree) == rounded(as_rounded(tree))
    assert json.loads(json.dumps(rounded(tree))) == rounded(tree)


@given(trees, trees)
def test_two_things_have_one_name_where_their_json_is_the_same(first, second):
    alike = fingerprint(rounded(first)) == fingerprint(rounded(second))
    assert (name_of(first) == name_of(second)) == alike


def test_a_field_added_later_changes_no_name():
    later = make_dataclass(
        "Leaf",
        [
            ("value", float),
            ("words", tuple, ()),
            ("more", dict, field(default_factory=dict)),
            ("note", str, ""),
        ],
    )
    assert name_of(Leaf(0.5)) == name_of(later(0.5))
    assert name_of(Leaf(0.5)) != name_of(later(0.5, note="seen"))
