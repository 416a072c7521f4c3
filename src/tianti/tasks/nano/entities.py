"""Sentences whose people, places and organisations are to be found: as tags of words and as a list."""

from __future__ import annotations

import random
import re
from typing import Any

from tianti.tasks.nano.world import Side, Text, data, join

UNNAMED = 0.25  # share of the sentences that name nobody
SEPARATORS = Text("; ", "；")
COLON = Text(": ", "：")
TYPES = {"name": "PER", "other": "PER", "place": "LOC", "organisation": "ORG"}  # by the slots of the wordings
UNHELD = {"day": "days", "thing": "things", "dish": "dishes"}

Mention = tuple[Text, str]


def entities(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    """Every fourth text names nobody."""
    text, mentions = news(rng, side.plain(), named=turn > 0)
    listed = [
        Text(f"{name.en}{COLON.en}{kind.en}", f"{name.zh}{COLON.zh}{kind.zh}")
        for name, kind in ((name, data("news")["types"][tag]) for name, tag in mentions)
    ]
    answer = join(listed, SEPARATORS.en, SEPARATORS.zh) if listed else data("news")["none"]
    tags = [tag for _, tag in mentions]
    return {"text": text, "answer": answer, "mentions": [name for name, _ in mentions], "types": tags}


def news(rng: random.Random, side: Side, named: bool = True) -> tuple[Text, list[Mention]]:
    """One to three sentences, and each name in them once with its type, in the order of the English text."""
    sentences: list[Text] = []
    found: list[Mention] = []
    many = rng.randint(1, 3)
    first = rng.randrange(many)
    for index in range(many):
        if named and (index == first or rng.random() >= UNNAMED):
            sentence, mentions = _named(rng, side)
            found += mentions
        else:
            sentence = _unnamed(rng, side)
        sentences.append(sentence)
    return join(sentences), list(dict.fromkeys(found))


def _named(rng: random.Random, side: Side) -> tuple[Text, list[Mention]]:
    name, other = rng.sample(side.names, 2)
    slots = {
        "name": name,
        "other": other,
        "place": rng.choice(side.places),
        "organisation": rng.choice(side.organisations),
        "day": rng.choice(data("vocabulary")["days"]),
    }
    wording = side.wording(rng, data("news")["named"])
    mentions = [(slots[slot], TYPES[slot]) for slot in re.findall(r"{(\w+)}", wording.en) if slot in TYPES]
    return wording.fill(**slots).sentence(), mentions


def _unnamed(rng: random.Random, side: Side) -> Text:
    """A sentence that names nobody; nothing in it is held out, so its own hash says on which side it falls."""
    words = data("vocabulary")
    while True:
        slots = {slot: rng.choice(words[pool]) for slot, pool in UNHELD.items()}
        sentence = side.wording(rng, data("news")["unnamed"]).fill(**slots).sentence()
        if side.owns("pool", sentence.en):
            return sentence


def tagged(row: dict[str, Any], language: str) -> dict[str, Any]:
    """The row with its words, each with a tag in BIO; Chinese words are characters.

    The answer lists the names in the order of the text, which is not the same in both languages.
    """
    text, mentions = row["text"], dict(zip(row.pop("mentions"), row.pop("types"), strict=True))
    words, tags = [], []
    spans = sorted(
        (match.start(), match.end(), kind)
        for name, kind in mentions.items()
        for match in re.finditer(re.escape(name), text)
    )
    for word in re.finditer(r"\w+|[^\w\s]" if language == "en" else r"\S", text):
        inside = next(((start, kind) for start, end, kind in spans if start <= word.start() < end), None)
        words.append(word[0])
        tags.append("O" if inside is None else f"{'B' if inside[0] == word.start() else 'I'}-{inside[1]}")
    return {"words": words, "tags": tags, **row}
