"""What the plain text for pre-training is made of: narrative, reviews, talk and lists, in no task's form."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.commonsense import commonsense
from tianti.tasks.nano.qa import asked, neighbours
from tianti.tasks.nano.sentiment import LABELS, review
from tianti.tasks.nano.world import Side, Text, data, join

# Words that sentences of the stories begin with, apart from names.
COMMON = {"The", "In", "On", "A", "An", "At", "For", "Nothing", "One"}
LINE, BLANK = {"en": "\n", "zh": "\n"}, {"en": "\n\n", "zh": "\n\n"}


def story(rng: random.Random, who: Side) -> Text:
    """Who lives where and does what; some of it is said again in other words, which takes copying."""
    told = neighbours(rng, who, people=rng.randint(2, 4), extra=rng.randint(0, 2))
    again = [
        filled(
            rng, who, rng.choice(data("dialogues")["reminders"]), fact=_lower(rng.choice(told).said(rng, who))
        )
        for _ in range(rng.randint(1, 3))
    ]
    return join([opening(rng, who), *(statement.said(rng, who) for statement in told), *again])


def lore(rng: random.Random, who: Side) -> Text:
    """What is known of a few things of one kind."""
    table = data("facts")[_table(rng)]
    said = []
    for _ in range(rng.randint(1, 3)):
        slots = _slots(rng, table)
        said += [
            filled(rng, who, wording, **slots)
            for wording in rng.sample(table["tell"], min(len(table["tell"]), rng.randint(2, 4)))
        ]
    return join([opening(rng, who), *said])


def memoir(rng: random.Random, who: Side) -> Text:
    """A review without a label, but with what followed from it."""
    label = rng.choice(LABELS)
    text, frame = review(rng, who, label, rare=True)
    verdicts = data("reviews")["verdicts"][label]["known"]
    return text if frame == "verdict" else join([text, rng.choice(verdicts).sentence()])


def guestbook(rng: random.Random, who: Side) -> Text:
    """Reviews and judgements, in one of several forms that are not the task's."""
    source = data("reviews")
    form, pick = rng.choice(source["guestbook"]), rng.randrange(3)
    entries = []
    for _ in range(rng.randint(2, 5)):
        label = rng.choice(LABELS)
        text, _ = review(rng, who, label, opened=rng.random() < 0.2)
        slots = {"judgement": source["judgements"][label][pick], "answer": source["answers"][label]}
        entries.append(filled(rng, who, form, text=text, **slots))
    return join(entries, **LINE)


def talk(rng: random.Random, who: Side) -> Text:
    """People ask each other about a passage they have heard, and answer in a word or a sentence."""
    told = neighbours(rng, who, people=rng.randint(2, 4), extra=rng.randint(0, 2))
    passage = [(statement, statement.said(rng, who)) for statement in told]
    form = rng.choice(data("dialogues")[rng.choice(("talks", "recalls"))])
    turns = []
    for _ in range(rng.randint(2, 5)):
        question, answer, statement = asked(rng, who, told)
        again = next(said for one, said in passage if one is statement)
        turns.append(filled(rng, who, form, question=question, answer=answer, told=again))
    return join([join([said for _, said in passage]), *turns], **LINE)


def roll(rng: random.Random, who: Side) -> Text:
    """A rhyme of names, places or things, and again: from which a model learns to look up what came before."""
    words = data("vocabulary")
    pool = rng.choice(
        (who.names, who.places, (*words["things"], *words["dishes"], *words["pets"], *words["colours"]))
    )
    line = join(rng.sample(pool, rng.randint(3, 8)))
    return filled(rng, who, rng.choice(data("dialogues")["rolls"]), list=line)


def quiz(rng: random.Random, who: Side) -> Text:
    """Riddles about what everyone knows."""
    source = data("dialogues")
    form = rng.choice((*source["talks"], *source["quiz"]))
    entries = []
    for _ in range(rng.randint(2, 5)):
        sample = commonsense(rng, who, rng.randrange(4))
        choices: list[Text] = sample["choices"]
        gold = choices[sample["answer"]]
        slots = dict(zip(("first", "second", "third", "fourth"), choices, strict=True))
        wrong = rng.choice([choice for choice in choices if choice != gold])
        entries.append(filled(rng, who, form, question=sample["question"], answer=gold, wrong=wrong, **slots))
    return join(entries, **LINE)


def ledger(rng: random.Random, who: Side) -> Text:
    """What is said of people, or listed, and then listed again in another order."""
    told = neighbours(rng, who, people=rng.randint(1, 4), extra=rng.randint(0, 2))
    entry = rng.choice(data("dialogues")["entries"])

    def listed() -> list[Text]:
        return [entry.fill(name=one.name, value=one.value) for one in rng.sample(told, len(told))]

    first = [join([one.said(rng, who) for one in told])] if rng.random() < 0.7 else listed()
    return join([*first, *listed(), *(listed() if rng.random() < 0.5 else ())], **LINE)


def _table(rng: random.Random) -> str:
    tables: dict[str, Any] = data("facts")
    return rng.choices(list(tables), [len(table["rows"]) for table in tables.values()])[0]


def _slots(rng: random.Random, table: dict[str, Any]) -> dict[str, Text]:
    if "order" in table:
        light, heavy = sorted(rng.sample(range(len(table["rows"])), 2))
        return {"light": table["rows"][light][0], "heavy": table["rows"][heavy][0]}
    return dict(zip(table["columns"], rng.choice(table["rows"]), strict=True))


def opening(rng: random.Random, who: Side) -> Text:
    return filled(
        rng, who, rng.choice(data("dialogues")["openings"]), day=rng.choice(data("vocabulary")["days"])
    )


def filled(rng: random.Random, who: Side, wording: Text, **slots: Text) -> Text:
    name, other = rng.sample(who.names, 2)
    return wording.fill(**{"name": name, "other": other, "place": rng.choice(who.places), **slots}).sentence()


def _lower(text: Text) -> Text:
    """A sentence inside another one, where it starts with a common word."""
    first = text.en.split(" ", 1)[0]
    return Text(text.en[:1].lower() + text.en[1:], text.zh) if first in COMMON else text
