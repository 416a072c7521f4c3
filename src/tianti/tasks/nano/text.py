"""The text for pre-training: an endless stream of short documents, English and Chinese in turn.

Most are plain narrative, reviews and talk. A minority (`PROMPTED`) shows samples, with the names and wordings of
the documents' side, in the very prompts of the library's tasks: alone, or several in a row, from which a model
learns to learn from examples.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from tianti.core.seeds import derived_random
from tianti.tasks.nano.commonsense import commonsense
from tianti.tasks.nano.qa import asked, neighbours, values
from tianti.tasks.nano.samples import KINDS, LANGUAGES, draw
from tianti.tasks.nano.sentiment import LABELS, review
from tianti.tasks.nano.world import Side, Text, data, join, side

LINE, BLANK = {"en": "\n", "zh": "\n"}, {"en": "\n\n", "zh": "\n\n"}


def documents(seed: int) -> Iterator[str]:
    index = 0
    while True:
        yield document(seed, index)
        index += 1


def document(seed: int, index: int) -> str:
    rng = derived_random(seed, "documents", index)
    write = rng.choices(list(KINDS_OF_TEXT), list(KINDS_OF_TEXT.values()))[0]
    return write(rng, side("documents")).within(LANGUAGES[index % 2])


def story(rng: random.Random, who: Side) -> Text:
    """Who lives where and does what; some of it is said again in other words, which takes copying."""
    told = neighbours(rng, who, people=rng.randint(2, 4), extra=rng.randint(0, 2))
    again = [
        _filled(
            rng, who, rng.choice(data("dialogues")["reminders"]), fact=_lower(rng.choice(told).said(rng, who))
        )
        for _ in range(rng.randint(1, 3))
    ]
    return join([_opening(rng, who), *(statement.said(rng, who) for statement in told), *again])


def lore(rng: random.Random, who: Side) -> Text:
    """What is known of a few things of one kind."""
    table = data("facts")[_table(rng)]
    said = []
    for _ in range(rng.randint(1, 3)):
        slots = _slots(rng, table)
        said += [
            _filled(rng, who, wording, **slots)
            for wording in rng.sample(table["tell"], min(len(table["tell"]), rng.randint(2, 4)))
        ]
    return join([_opening(rng, who), *said])


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
    for _ in range(rng.randint(1, 4)):
        label = rng.choice(LABELS)
        text, _ = review(rng, who, label)
        slots = {"judgement": source["judgements"][label][pick], "answer": source["answers"][label]}
        entries.append(_filled(rng, who, form, text=text, **slots))
    return join(entries, **LINE)


def talk(rng: random.Random, who: Side) -> Text:
    """People ask each other about a passage they have heard."""
    told = neighbours(rng, who, people=rng.randint(2, 4), extra=rng.randint(0, 2))
    form = rng.choice(data("dialogues")["talks"])
    turns = []
    for _ in range(rng.randint(1, 4)):
        question, answer = asked(rng, who, told)
        turns.append(_filled(rng, who, form, question=question, answer=answer))
    return join([join([statement.said(rng, who) for statement in told]), *turns], **LINE)


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
        entries.append(
            _filled(rng, who, form, question=sample["question"], answer=gold, wrong=wrong, **slots)
        )
    return join(entries, **LINE)


def ledger(rng: random.Random, who: Side) -> Text:
    """A list of people and something about each, in which some come again."""
    names, relation = (
        rng.sample(who.names, 12),
        rng.choice(["home", "job", "pet", "coat", "purchase", "visit"]),
    )
    count = rng.randint(3, 7)
    lines = list(zip(names, values(rng, who, relation, count, names), strict=False))
    lines += rng.sample(lines, rng.randint(2, count))
    return join([data("dialogues")["entry"].fill(name=name, value=value) for name, value in lines], **LINE)


def prompted(rng: random.Random, who: Side) -> Text:
    """Samples of one kind in the prompt of their task, with blank lines between them as between examples."""
    kind = rng.choice(KINDS)
    return join([_prompted(rng, who, kind) for _ in range(rng.choice((1, 1, 2, 3, 4, 5)))], **BLANK)


def _prompted(rng: random.Random, who: Side, kind: str) -> Text:
    sample = draw(kind, rng, who, rng.randrange(4))
    if kind == "commonsense":
        sample["answer"] = sample.pop("choices")[sample["answer"]]
    return Text.fill(data("dialogues")["prompts"][kind], **sample)


def _table(rng: random.Random) -> str:
    tables: dict[str, Any] = data("facts")
    return rng.choices(list(tables), [len(table["rows"]) for table in tables.values()])[0]


def _slots(rng: random.Random, table: dict[str, Any]) -> dict[str, Text]:
    if "order" in table:
        light, heavy = sorted(rng.sample(range(len(table["rows"])), 2))
        return {"light": table["rows"][light][0], "heavy": table["rows"][heavy][0]}
    return dict(zip(table["columns"], rng.choice(table["rows"]), strict=True))


def _opening(rng: random.Random, who: Side) -> Text:
    return _filled(
        rng, who, rng.choice(data("dialogues")["openings"]), day=rng.choice(data("vocabulary")["days"])
    )


def _filled(rng: random.Random, who: Side, wording: Text, **slots: Text) -> Text:
    name, other = rng.sample(who.names, 2)
    return wording.fill(**{"name": name, "other": other, "place": rng.choice(who.places), **slots}).sentence()


def _lower(text: Text) -> Text:
    """A sentence inside another one, where it starts with a common word."""
    first = text.en.split(" ", 1)[0]
    return (
        Text(text.en[:1].lower() + text.en[1:], text.zh) if first in {"The", "In", "On", "A", "An"} else text
    )


# Shares of the kinds of text, by documents.
PROMPTED = 0.18
KINDS_OF_TEXT: dict[Callable[[random.Random, Side], Text], float] = {
    story: 0.12,
    lore: 0.18,
    memoir: 0.07,
    guestbook: 0.09,
    talk: 0.2,
    quiz: 0.08,
    ledger: 0.08,
    prompted: PROMPTED,
}
