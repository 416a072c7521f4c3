"""Questions as those of `qa`, with the place where the answer stands in the passage."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.qa import asked, neighbours
from tianti.tasks.nano.world import Side, join


def spans(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    people = rng.choice((1, 2, 2, 3))
    told = neighbours(rng, side, people, extra=rng.randint(max(2, people), 4) - people)
    said = [statement.said(rng, side.plain()) for statement in told]
    question, answer, subject = asked(rng, side.plain(), told)
    place = next(index for index, statement in enumerate(told) if statement is subject)
    return {
        "passage": join(said),
        "question": question,
        "answer": answer,
        "before": join([*said[:place]]),
        "sentence": said[place],
    }


def located(row: dict[str, Any], language: str) -> dict[str, Any]:
    """The row with `answer_start`: characters of the passage before its answer, in the sentence that it is about."""
    before, sentence, answer = row.pop("before"), row.pop("sentence"), row.pop("answer")
    gap = 1 if before and language == "en" else 0
    start = len(before) + gap + _find(sentence, answer)
    return {**row, "answers": [row["passage"][start : start + len(answer)]], "answer_start": start}


def _find(sentence: str, answer: str) -> int:
    """Where the answer stands, also where it begins its sentence with a capital of its own."""
    place = sentence.find(answer)
    return place if place >= 0 else sentence.index(answer[:1].upper() + answer[1:])
