"""Entities from tags, and from answers in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tianti.tasks.entities import (
    Entity,
    Named,
    entities_of,
    locate_words,
    read_entities,
    tag_set,
    write_entities,
)

NAMES = {"PER": "person", "LOC": "place"}
TAGS = tag_set(tuple(NAMES))
TEXT = "Mira met Ben Oak in Amber Lane; Mira: laughed."
WORDS = locate_words(["Mira", "met", "Ben", "Oak", "in", "Amber", "Lane", ";", "Mira", ":", "laughed"], TEXT)


def test_the_tags_of_types_have_a_fixed_order():
    assert TAGS == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@given(st.lists(st.sampled_from(TAGS), min_size=1, max_size=12))
def test_entities_are_those_of_seqeval(tags):
    from seqeval.scheme import IOB2, Entities

    reference = Entities([tags], IOB2)
    expected = [Entity(each.start, each.end - 1, each.tag) for each in reference.entities[0]]
    assert entities_of(tags) == expected


def test_entities_are_written_in_words():
    entities = [Entity(0, 0, "PER"), Entity(5, 6, "LOC")]
    assert write_entities(entities, TEXT, WORDS, NAMES, "en") == "Mira: person; Amber Lane: place"
    assert write_entities([], TEXT, WORDS, NAMES, "en") == "none"
    chinese = locate_words(list("米拉住在琥珀巷"), "米拉住在琥珀巷")
    entities = [Entity(0, 1, "PER"), Entity(4, 6, "LOC")]
    names = {"PER": "人", "LOC": "地"}
    assert write_entities(entities, "米拉住在琥珀巷", chinese, names, "zh") == "米拉：人；琥珀巷：地"
    assert write_entities([], "米拉", chinese, names, "zh") == "无"
    assert read_entities("米拉：人；琥珀巷：地", "米拉住在琥珀巷", chinese, names) == Named(
        tuple(entities), 0
    )
    assert read_entities("无", "米拉住在琥珀巷", chinese, names) == Named((), 0)


def read(answer):
    return read_entities(answer, TEXT, WORDS, NAMES)


def test_a_name_stands_for_all_its_places():
    both = Named((Entity(0, 0, "PER"), Entity(8, 8, "PER")), 0)
    assert read("Mira: person") == read("Mira: person; Mira: person") == both
    assert read("Mira: person; Mira: place") == Named(both.entities, 1)
    assert write_entities(both.entities, TEXT, WORDS, NAMES, "en") == "Mira: person"


def test_what_cannot_be_placed_is_claimed_and_wrong():
    for answer in ("Nobody: person", "Mira: ghost", "Mira", "Mir: person", ": person", "Oak in Amb: place"):
        assert read(answer) == Named((), 1), answer
    assert read(" Ben Oak :person ;; none") == Named((Entity(2, 3, "PER"),), 0)
    for answer in ("Ben Oak: person; Oak: person", "Oak: person; Ben Oak: person"):
        assert read(answer) == Named((Entity(2, 3, "PER"),), 1)
    assert read("") == Named((), 0)


@given(st.data())
def test_what_is_written_is_read_again(data):
    """Where no name occurs as something else too: all words are different."""
    words = [f"w{number}" for number in range(data.draw(st.integers(1, 9)))]
    text = " ".join(words)
    places = locate_words(words, text)
    tags = data.draw(st.lists(st.sampled_from(TAGS), min_size=len(words), max_size=len(words)))
    entities = entities_of(tags)
    answer = write_entities(entities, text, places, NAMES, data.draw(st.sampled_from(["en", "zh", "de"])))
    assert read_entities(answer, text, places, NAMES) == Named(tuple(entities), 0)


def test_words_are_looked_for_one_after_the_other():
    assert locate_words(["a", "a", "b"], "a  ab") == ((0, 1), (3, 4), (4, 5))
    assert locate_words(["b", "a"], "ab") is None
    assert locate_words(["a", ""], "ab") is None
