"""Text for pre-training that prepares for the kinds of task beside the first three, in forms of its own.

Words and sentences beside their translation, values of little programs, claims about a passage, who and what a text
names, reviews to order, and texts with the main thing said again.
"""

from __future__ import annotations

import random

from tianti.tasks.nano.claims import LABELS as VERDICTS
from tianti.tasks.nano.claims import pairs
from tianti.tasks.nano.entities import news
from tianti.tasks.nano.programs import run, written
from tianti.tasks.nano.prose import LINE, filled
from tianti.tasks.nano.sentiment import LABELS, review
from tianti.tasks.nano.summaries import summaries
from tianti.tasks.nano.translation import translation
from tianti.tasks.nano.world import Side, Text, data, join


def dictionary(rng: random.Random, who: Side) -> Text:
    """Words of one sort with their translation."""
    words = data("vocabulary")
    sorts = ("things", "dishes", "pets", "colours", "instruments", "fears", "days", "numbers")
    jobs = [row[0] for row in data("facts")["jobs"]["rows"]]
    pool = rng.choice((who.names, who.names, who.places, who.places, jobs, *(words[sort] for sort in sorts)))
    return join([_turned(word, " = ", "＝") for word in rng.sample(pool, rng.randint(3, 7))], ", ", "，")


def parallel(rng: random.Random, who: Side) -> Text:
    """Sentences and their translation."""
    form = rng.choice(data("drills")["parallel"])
    said = [translation(rng, who, 0)["source"] for _ in range(rng.randint(1, 4))]
    return join([form.fill(said=text, turned=Text(text.zh, text.en)) for text in said], **LINE)


def sums(rng: random.Random, who: Side) -> Text:
    """A program with the values that it has for some x."""
    source = data("programs")
    task, program, steps = written(rng, who)
    code = Text(program, program)
    first = rng.choice(source["worked"]).fill(task=task, program=code).sentence()
    values = rng.sample(range(-5, 11), rng.randint(1, 4))
    worked = [
        source["value"].fill(x=_number(value), y=_number(run(steps, value)), program=code) for value in values
    ]
    return join([first, *worked])


def claims(rng: random.Random, who: Side) -> Text:
    """A passage, a claim about it, and whether it is right."""
    source, verdict = data("claims"), rng.randrange(3)
    sample = pairs(rng, who, verdict)
    return filled(
        rng,
        who,
        rng.choice(source["asides"]),
        premise=sample["premise"],
        claim=sample["hypothesis"],
        verdict=rng.choice(source["verdicts"][VERDICTS[verdict]]),
    )


def lists(rng: random.Random, who: Side) -> Text:
    """A text, and whom and what it names, by type."""
    text, mentions = news(rng, who)
    listed = []
    for tag, form in data("news")["lists"].items():
        names = [name for name, kind in mentions if kind == tag]
        if names:
            listed.append(form.fill(list=join(names, ", ", "、")))
    return join([text, *listed], **LINE)


def orders(rng: random.Random, who: Side) -> Text:
    """What a review shall be like, and the review."""
    label = rng.choice(LABELS)
    text, _ = review(rng, who, label)
    judgement = rng.choice(data("reviews")["judgements"][label])
    form: Text = rng.choice(data("drills")["orders"])
    return form.fill(judgement=judgement, text=text).sentence()


def summed_up(rng: random.Random, who: Side) -> Text:
    """A text and the main thing in it."""
    form: Text = rng.choice(data("summaries")["closings"])
    return form.fill(**summaries(rng, who, 0)).sentence()


def _turned(word: Text, en: str, zh: str) -> Text:
    return Text(f"{word.en}{en}{word.zh}", f"{word.zh}{zh}{word.en}")


def _number(value: int) -> Text:
    return Text(str(value), str(value))
