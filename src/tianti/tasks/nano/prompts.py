"""Samples of the tasks in the prompts of the library, with their answers, as documents for pre-training."""

from __future__ import annotations

import random
from typing import Any

from tianti.tasks.nano.prose import BLANK, LINE
from tianti.tasks.nano.samples import draw, turns
from tianti.tasks.nano.sentiment import LABELS, review
from tianti.tasks.nano.world import Side, Text, data, join

ASKED = ("sentiment", "commonsense", "qa")
# How often a kind's samples are shown, and how many at most stand in a row; those of `spans` are those of `qa`.
ORDERS = {
    "pairs": (1.5, 5),
    "entities": (1.2, 4),
    "relations": (1.5, 5),
    "translation": (2.0, 5),
    "summaries": (1.0, 2),
    "dialogue": (1.0, 2),
    "control": (1.0, 4),
    "programs": (1.5, 5),
    "augmentation": (0.8, 5),
}


def prompted(rng: random.Random, who: Side) -> Text:
    """Samples of one of the first kinds in their task's prompt, with blank lines between them as between examples."""
    kind = rng.choice(ASKED)
    return join([shown(rng, who, kind) for _ in range(rng.choice((1, 1, 2, 3, 4, 5)))], **BLANK)


def ordered(rng: random.Random, who: Side) -> Text:
    """The same of one of the other kinds. The reviews of `augmentation` have one label in a row."""
    kind = rng.choices(list(ORDERS), [weight for weight, _ in ORDERS.values()])[0]
    many = rng.choice((1, 1, 2, 3, 4, 5))
    many = min(many, ORDERS[kind][1])
    if kind == "augmentation":
        label = rng.choice(LABELS)
        return join([_written(rng, who, label) for _ in range(many)], **BLANK)
    return join([shown(rng, who, kind) for _ in range(many)], **BLANK)


def shown(rng: random.Random, who: Side, kind: str) -> Text:
    """One sample with its prompt and its answer."""
    sample = draw(kind, rng, who, rng.randrange(turns(kind)))
    slots = _SLOTS.get(kind, lambda same: same)(sample)
    fields = {key: value for key, value in slots.items() if isinstance(value, Text)}
    return Text.fill(data("dialogues")["prompts"][kind], **fields)


def _written(rng: random.Random, who: Side, label: str) -> Text:
    text, _ = review(rng, who, label, rare=True)
    return Text.fill(
        data("dialogues")["prompts"]["augmentation"], text=text, label=data("reviews")["labels"][label]
    )


def _commonsense(sample: dict[str, Any]) -> dict[str, Any]:
    return {"question": sample["question"], "answer": sample["choices"][sample["answer"]]}


def _dialogue(sample: dict[str, Any]) -> dict[str, Any]:
    return {"history": join(sample["history"], **LINE), "response": sample["response"]}


def _control(sample: dict[str, Any]) -> dict[str, Any]:
    return {**sample, "keywords": join(sample["keywords"], ", ", "、")}


def _programs(sample: dict[str, Any]) -> dict[str, Any]:
    program = sample["program"]
    return {"description": sample["description"], "program": Text(program, program)}


_SLOTS = {
    "commonsense": _commonsense,
    "dialogue": _dialogue,
    "control": _control,
    "programs": _programs,
}
