"""Two names in a text and how they are related: which relation, and in which direction."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.world import Side, Text, data, join

LABELS = tuple((relation, way) for relation in ("lives", "works", "owns") for way in ("forward", "backward"))
NONE = len(LABELS)  # the turn of a sample without a relation
APART = 0.4  # share of these whose two names stand in sentences of their own relations

Sentence = tuple[Text, Text, Text]  # the text, with what is named first and second


def relations(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    source = data("ties")
    names, places = rng.sample(side.names, 2), rng.sample(side.places, 2)
    organisations = rng.sample(side.organisations, 2)

    def told(relation: str, way: str, index: int) -> Sentence:
        pool = {"places": places, "organisations": organisations}
        objects = (
            pool[source[relation]["object"]] if relation != "passes" else rng.choice(list(pool.values()))
        )
        one, two = (names[index], objects[index]) if way == "forward" else (objects[index], names[index])
        return side.plain().wording(rng, source[relation][way]).fill(one=one, two=two).sentence(), one, two

    aside = told(*rng.choice((*LABELS, ("passes", "forward"), ("passes", "backward"))), 1)
    if turn < NONE:
        asked, label = told(*LABELS[turn], 0), _label(*LABELS[turn])
    else:
        asked, label = told("passes", rng.choice(("forward", "backward")), 0), source["passes"]["label"]
    sentences = [asked, aside] if rng.random() < 0.5 else [aside, asked]
    head, tail = asked[1:]
    if turn == NONE and rng.random() < APART:
        sentences = [told(*rng.choice(LABELS), index) for index in rng.sample(range(2), 2)]
        head, tail = _apart(rng, sentences, names)
    return {
        "text": join([text for text, _, _ in sentences]),
        "head": head,
        "tail": tail,
        "relation": label,
        "marked": join([_marked(text, head, tail) for text, _, _ in sentences]),
    }


def _label(relation: str, way: str) -> Text:
    order = "(e1,e2)" if way == "forward" else "(e2,e1)"
    name = data("ties")[relation]["label"]
    return Text(name.en + order, name.zh + order)


def _apart(rng: random.Random, sentences: list[Sentence], names: list[Text]) -> tuple[Text, Text]:
    """A person of one sentence and what another person lives in, works for or owns."""
    person = rng.randrange(2)
    one, two = (
        next(item for item in pair if (item in names) == (index == person))
        for index, (_, *pair) in enumerate(sentences)
    )
    return one, two


def _marked(text: Text, head: Text, tail: Text) -> Text:
    for name, mark in ((head, "e1"), (tail, "e2")):
        text = Text(
            text.en.replace(name.en, f"<{mark}>{name.en}</{mark}>"),
            text.zh.replace(name.zh, f"<{mark}>{name.zh}</{mark}>"),
        )
    return text
