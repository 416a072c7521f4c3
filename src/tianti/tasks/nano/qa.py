"""Passages about two or three people of the town, and a question whose answer stands in the passage."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tianti.tasks.nano.world import Side, Text, data, join

WHO = 0.2  # share of the questions that ask for the person


@dataclass(frozen=True)
class Statement:
    relation: str
    name: Text
    value: Text

    def said(self, rng: random.Random, side: Side) -> Text:
        return (
            side.wording(rng, data("stories")[self.relation]["tell"])
            .fill(name=self.name, value=self.value)
            .sentence()
        )


def qa(rng: random.Random, side: Side) -> dict[str, Any]:
    people = rng.choice((1, 2, 2, 3))
    statements = neighbours(rng, side, people, extra=rng.randint(max(2, people), 4) - people)
    passage = join([statement.said(rng, side.plain()) for statement in statements])
    question, answer, _ = asked(rng, side.plain(), statements)
    return {"passage": passage, "question": question, "answer": answer}


def neighbours(rng: random.Random, side: Side, people: int, extra: int) -> list[Statement]:
    """One relation told of every person, so that each answer has its distractors, and `extra` other statements."""
    relations = rng.sample(list(data("stories")), 1 + extra)
    names = rng.sample(side.names, people * 2)
    told = [
        Statement(relations[0], name, value)
        for name, value in zip(names, values(rng, side, relations[0], people, names), strict=False)
    ]
    for relation in relations[1:]:
        told.append(Statement(relation, rng.choice(names[:people]), values(rng, side, relation, 1, names)[0]))
    rng.shuffle(told)
    return told


def values(rng: random.Random, side: Side, relation: str, count: int, names: Sequence[Text]) -> list[Text]:
    """Distinct values of a relation; friends are people of whom nothing is told."""
    source = data("stories")[relation]["values"]
    if source == "places":
        return rng.sample(side.places, count)
    if source == "names":
        return list(names[-count:])
    if source == "jobs":
        return rng.sample([row[0] for row in data("facts")["jobs"]["rows"]], count)
    return rng.sample(data("vocabulary")[source], count)


def asked(rng: random.Random, side: Side, statements: Sequence[Statement]) -> tuple[Text, Text, Statement]:
    """A question about one of the statements, its answer, and the statement."""
    subject = rng.choice(statements)
    relation = data("stories")[subject.relation]
    if "who" in relation and rng.random() < WHO:
        return side.wording(rng, relation["who"]).fill(value=subject.value).sentence(), subject.name, subject
    return side.wording(rng, relation["ask"]).fill(name=subject.name).sentence(), subject.value, subject
