"""The baselines of tags and spans."""

from __future__ import annotations

import pytest

from tianti.adapt.baselines import fit_baseline
from tianti.core.exceptions import UnknownNameError
from tianti.engine import ChooseRequest, Failure, SpanRequest, TagRequest, TagResponse
from tianti.tasks.entities import locate_words
from tianti.tasks.task import Example

LABELS = ("O", "B-PER", "I-PER")


def tagged(sentence: str) -> Example:
    """`Anna/B-PER sells/O` → its example."""
    pairs = [word.split("/") for word in sentence.split()]
    text = " ".join(word for word, _ in pairs)
    places = locate_words([word for word, _ in pairs], text)
    return Example(text, "", text, "", LABELS, None, places or (), tuple(tag for _, tag in pairs))


TAGGED = [
    tagged("Anna/B-PER sells/O fish/O"),
    tagged("Ben/B-PER Oak/I-PER sells/O the/O Oak/O"),
    tagged("the/O Oak/O is/O old/O"),
    tagged("Carla/B-PER Ash/I-PER sells/O bread/O"),
]


def ask(name, form, examples, *requests):
    backend = fit_baseline(f"baseline:{name}", form, examples, "en")
    assert backend.parameters > 0
    assert backend.facts()["baseline"] == f"baseline:{name}"
    assert backend.count_tokens(["a b"]) == [0]
    found = dict(backend.answer(requests))
    assert backend.request_types == {type(requests[0])}
    return [found[index] for index in range(len(requests))]


def test_each_word_gets_its_most_common_tag():
    request = TagRequest("Anna saw Oak", ((0, 4), (5, 8), (9, 12)), LABELS)
    assert ask("majority", "tags", TAGGED, request) == [TagResponse(("B-PER", "O", "O"))]


def test_the_regression_sees_the_neighbours():
    request = TagRequest("Dora Elm sells fish", ((0, 4), (5, 8), (9, 14), (15, 19)), LABELS)
    (response,) = ask("tfidf", "tags", TAGGED * 3, request)
    assert response == TagResponse(("B-PER", "I-PER", "O", "O"))
    nothing = [tagged("the/O fish/O")]
    backend = fit_baseline("baseline:tfidf", "tags", nothing, "en")
    assert dict(backend.answer([request])) == {0: TagResponse(("O",) * 4)}


def spanned(passage: str, question: str, answer: str) -> Example:
    start = passage.index(answer)
    return Example("", "", question, answer, passage=passage, span=(start, start + len(answer)))


PASSAGE = (
    "The ferry is green and goes at noon on every second day of each week. "
    "In the old tower above the harbour lives the clockmaker Jonas with two cats."
)
SPANS = [spanned(PASSAGE, "Which colour is the ferry?", "green"), spanned("Ada sings.", "Who sings?", "Ada")]


def test_spans_are_as_long_as_answers_are():
    request = SpanRequest("Who lives above the harbour in the tower?", PASSAGE)
    (first,) = ask("majority", "span", SPANS, request)
    assert (first.text, first.start, first.end) == ("The", 0, 3)
    (near,) = ask("tfidf", "span", SPANS, request)
    assert near.text == PASSAGE[near.start : near.end]
    assert near.start >= PASSAGE.index("each week")
    assert near.text.lower() not in request.question.lower().rstrip("?").split()


def test_chinese_characters_are_words():
    passage = "渡船是绿的。老塔里住着钟表匠约纳斯。"
    examples = [spanned(passage, "渡船是什么颜色？", "绿的")]
    (first,) = ask("majority", "span", examples, SpanRequest("谁？", passage))
    assert first.text == "渡船"


def test_what_was_not_fitted_for_is_an_error():
    found = ask("majority", "span", SPANS, SpanRequest("?", "..."), ChooseRequest("a", ("b", "c")))
    assert [(type(each), each.state) for each in found] == [(Failure, "skipped"), (Failure, "error")]
    with pytest.raises(UnknownNameError):
        fit_baseline("baseline:median", "tags", TAGGED, "en")
