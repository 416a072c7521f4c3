"""Little programs: what they do in words, as an expression over x, and what comes out for some inputs.

Which programs are asked for in which split is decided by the hash of the expression.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tianti.core.seeds import derived_random
from tianti.tasks.nano.world import Side, Text, data

SINGLE = 0.25  # share of the programs with one step
X, CALL = Text("x", "x"), 3
DOES: dict[str, Callable[[int, int], int]] = {
    "add": lambda x, n: x + n,
    "subtract": lambda x, n: x - n,
    "multiply": lambda x, n: x * n,
    "double": lambda x, n: x * 2,
    "divide": lambda x, n: x // n,
    "remainder": lambda x, n: x % n,
    "larger": max,
    "smaller": min,
    "sign": lambda x, n: abs(x),
}


@dataclass(frozen=True)
class Step:
    name: str
    number: int

    def after(self, program: str, binds: int) -> tuple[str, int]:
        """The program with this step after it, and how firmly it binds."""
        how = data("programs")["steps"][self.name]
        inner = program if binds >= how["needs"] else f"({program})"
        return how["form"].format(x=inner, n=self.number), how["binds"]

    def said(self, rng: random.Random, side: Side, of: Text) -> Text:
        wording = side.wording(rng, data("programs")["steps"][self.name])
        return wording.fill(x=of, n=data("vocabulary")["numbers"][self.number - 1])


def programs(rng: random.Random, side: Side, turn: int) -> dict[str, Any]:
    task, program, steps = written(rng, side)
    draws = derived_random("inputs", program)
    inputs = sorted(draws.sample(range(-9, 0), 2) + draws.sample(range(13), 3))
    return {
        "description": task.sentence(),
        "program": program,
        "tests": [[value, run(steps, value)] for value in inputs],
    }


def written(rng: random.Random, side: Side) -> tuple[Text, str, list[Step]]:
    """A program of this side: in words, as an expression, and as steps."""
    while True:
        steps = _steps(rng)
        program = expression(steps)
        if side.owns("pool", program):
            return _described(rng, side.plain(), steps), program, steps


def expression(steps: list[Step]) -> str:
    program, binds = "x", CALL
    for step in steps:
        program, binds = step.after(program, binds)
    return program


def run(steps: list[Step], value: int) -> int:
    for step in steps:
        value = DOES[step.name](value, step.number)
    return value


def _steps(rng: random.Random) -> list[Step]:
    names = rng.sample(list(DOES), 1 if rng.random() < SINGLE else 2)
    ranges = [data("programs")["steps"][name].get("numbers", (2, 2)) for name in names]
    return [Step(name, rng.randint(*bounds)) for name, bounds in zip(names, ranges, strict=True)]


def _described(rng: random.Random, side: Side, steps: list[Step]) -> Text:
    source = data("programs")
    first = steps[0].said(rng, side, X)
    if len(steps) == 1:
        return first
    return side.wording(rng, source["joints"]).fill(
        first=first, second=steps[1].said(rng, side, source["pronoun"])
    )
