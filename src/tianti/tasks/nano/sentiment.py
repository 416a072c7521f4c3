"""Reviews with a label: negation, contrast, concession and a final verdict decide it, not only adjectives."""

from __future__ import annotations

import random

from tianti.tasks.nano.world import Side, Text, data, join, other_than

LABELS = ("positive", "negative")
# Shares of the frames. Only `agree` with affirming clauses can be read from the adjectives alone, so that a
# bag of words gets between seven and eight of ten right.
FRAMES = {"agree": 0.6, "contrast": 0.14, "concession": 0.1, "verdict": 0.16}
DENIED = 0.15


def sentiment(rng: random.Random, side: Side, label: str) -> dict[str, Text]:
    text, _ = review(rng, side, label, rare="held" in side.wordings)
    return {"text": text, "label": data("reviews")["labels"][label]}


def review(
    rng: random.Random, side: Side, label: str, rare: bool = False, opened: bool = True
) -> tuple[Text, str]:
    """A review that speaks for the label, and the name of its frame.

    `rare` allows the adjectives that stand under a label in the tests only.
    """
    source = data("reviews")
    frame = rng.choices(list(FRAMES), list(FRAMES.values()))[0]
    kind = rng.choice(list(source["categories"]))
    category = source["categories"][kind]
    aspects = rng.sample(category["aspects"], 3)
    against = other_than(rng, LABELS, label)

    def clause(aspect: Text, polarity: str) -> Text:
        opposite = against if polarity == label else label
        words = {value: category[value] + (category["rare"][value] if rare else ()) for value in LABELS}
        form = source["deny" if rng.random() < DENIED else "affirm"]
        slots = {"x": aspect, "same": rng.choice(words[polarity]), "other": rng.choice(words[opposite])}
        return side.plain().wording(rng, form).fill(**slots)

    body = side.wording(rng, source["frames"][frame]).fill(
        A=clause(aspects[0], against),
        B=clause(aspects[1], label),
        C=clause(aspects[2], label),
        verdict=side.plain().wording(rng, source["verdicts"][label]).sentence(),
    )
    day, name, place = rng.choice(data("vocabulary")["days"]), rng.choice(side.names), rng.choice(side.places)
    opening = side.wording(rng, source["openings"]).fill(day=day, name=name, place=place)
    return (
        join([opening.sentence(), _capitals(body.sentence())]) if opened else _capitals(body.sentence())
    ), frame


def _capitals(text: Text) -> Text:
    """A capital after each full stop, where a clause was filled in at the start of a sentence."""
    parts = text.en.split(". ")
    return Text(". ".join(part[:1].upper() + part[1:] for part in parts), text.zh)
