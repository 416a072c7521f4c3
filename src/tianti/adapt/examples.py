"""Which of a task's examples are learned: cut into training and validation, and the order in which a few are taken."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tianti.adapt.fitting import form_of
from tianti.core.seeds import derived_random
from tianti.tasks.task import Example, Task

HOLD_OUT = 0.1
"""Share of the training split that validates where a task has no validation split."""


def split(task: Task, max_examples: int | None, seed: int) -> tuple[list[Example], list[Example]]:
    """Training and validation examples.

    Where the task has no validation split, a tenth of the training split is held out, drawn with the seed; fewer than
    ten examples are all trained on. With the same seed a smaller `max_examples` takes a subset of a larger one.
    """
    train, validation = task.examples("train"), task.examples("validation")
    draw = derived_random("examples", task.info.name, seed)
    if not validation and len(train) >= 10:
        held = set(draw.sample(range(len(train)), held_out(len(train))))
        validation = [example for index, example in enumerate(train) if index in held]
        train = [example for index, example in enumerate(train) if index not in held]
    if max_examples is not None and max_examples < len(train):
        order = proportional_order(train, task, seed, "examples")
        train = [train[index] for index in sorted(order[:max_examples])]
    return train, validation


def count_to_learn(task: Task) -> int:
    """How many examples there are to train on, those that are held out to validate not counted."""
    total = len(task.examples("train"))
    return total - (held_out(total) if total >= 10 and not task.examples("validation") else 0)


def held_out(total: int) -> int:
    """How many of `total` training examples validate where the task has no validation split."""
    return round(HOLD_OUT * total)


def proportional_order(examples: Sequence[Example], task: Task, seed: int, purpose: str) -> list[int]:
    """A random order of the examples in which every beginning has the labels in about the proportions of the whole.

    Example j (from 0) of the n of its label stands at the fraction (j + 1/2) / n of the order. Where the examples do
    not share their labels it is a random permutation.
    """
    draw = derived_random("order", purpose, task.info.name, seed)
    shuffled = list(range(len(examples)))
    draw.shuffle(shuffled)
    if form_of(examples, task.info.kind) != "labels":
        return shuffled
    counts = Counter(example.label for example in examples)
    seen: dict[int | None, int] = defaultdict(int)
    place = {}
    for index in shuffled:
        label = examples[index].label
        place[index] = (seen[label] + 0.5) / counts[label]
        seen[label] += 1
    return sorted(shuffled, key=place.__getitem__)  # stable: equal places stay in random order
