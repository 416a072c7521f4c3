"""Talks in a shop whose last answer has to say again, rightly, what the guest wanted.

The four candidates are the four combinations of two values each for two wishes: none stands out by itself, and
the values that were not meant are often named in the talk as well.
"""

from __future__ import annotations

import random
from itertools import product
from typing import Any

from tianti.tasks.nano.world import Side, Text, data

OFFERED, DOUBTED = 0.5, 0.3


def dialogue(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    """`turn` is the place of the right answer among the candidates."""
    source, who = data("shop"), side.plain()
    name = rng.choice(side.names)
    scene = source["scenes"][rng.choice(list(source["scenes"]))]
    options = [rng.sample(_pool(side, slot), 2) for slot in scene["slots"]]
    hello = who.wording(rng, source["greetings"]).fill(name=name).sentence()
    wish: Text = rng.choice(scene["wish"])
    history = [_line("guest", Text(f"{hello.en} {wish.en}", hello.zh + wish.zh))]
    for slot, (right, wrong) in zip(scene["slots"], options, strict=True):
        history += _exchange(rng, who, slot, right, wrong)

    def reply(first: Text, second: Text) -> Text:
        said: Text = scene["response"].fill(first=first, second=second, name=name)
        return said.sentence()

    response, *wrong_ones = [reply(first, second) for first, second in product(*options)]
    rng.shuffle(wrong_ones)
    slots = {source["names"][slot]: right for slot, (right, _) in zip(scene["slots"], options, strict=True)}
    if "{name}" in scene["response"].en:
        slots[source["names"]["name"]] = name
    candidates = [*wrong_ones[:turn], response, *wrong_ones[turn:]]
    return {
        "history": history,
        "response": response,
        "candidates": candidates,
        "answer": turn,
        "slots": slots,
    }


def _pool(side: Side, slot: str) -> tuple[Text, ...]:
    pool: tuple[Text, ...] = side.places if slot == "places" else data("vocabulary")[slot]
    return pool


def _exchange(rng: random.Random, side: Side, slot: str, right: Text, wrong: Text) -> list[Text]:
    """A question of the shop, open or between two, and an answer, at once or after a change of mind."""
    source = data("shop")
    if rng.random() < OFFERED:
        one, two = rng.sample((right, wrong), 2)
        question: Text = source["questions"][slot]["offer"].fill(one=one, two=two)
    else:
        question = source["questions"][slot]["open"]
    wordings = source["doubts" if rng.random() < DOUBTED else "plain"]
    answer = side.wording(rng, wordings).fill(right=right, wrong=wrong)
    return [_line("shop", question.sentence()), _line("guest", answer.sentence())]


def _line(speaker: str, said: Text) -> Text:
    who = data("shop")["speakers"][speaker]
    return Text(f"{who.en} {said.en}", who.zh + said.zh)
