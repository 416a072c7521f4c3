"""Ratings from a million battles: ours beside evalica and choix, in CPU seconds.

    python benchmarks/battles.py [--battles 1000000] [--models 200] [--voters 50000] [--repeat 3] [--quick] [--markdown]

The battles are simulated under Davidson's model (ν = 0.7) and lie in memory as integers when the clock starts. evalica
and choix get them as the lists that they take, made beforehand. Sides take turns; the median of the repeats counts.
evalica and choix give no intervals; ours does in every row. What ties as halves give must equal evalica's scores, what
decided battles give choix's: the exit status is 1 where they do not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import choix
import evalica
import numpy as np
from report import seconds, table

from tianti.stats.ratings import SECOND_WINS, TIE, Battles, count, rate
from tianti.stats.ratings.likelihood import probabilities

NU = 0.7
LIMIT = 0.1
"""CPU seconds for a million battles of 200 models, after loading."""
CLOSE = 1e-4
HEADINGS = ("What", "Intervals", "CPU seconds", "Times ours")
ALIGNED = "llrr"


@dataclass(frozen=True)
class Side:
    """Something to time; `against` names the side of ours that does the same."""

    name: str
    run: Callable[[], Any]
    intervals: str = "no"
    against: str = ""


def simulate(battles: int, models: int, voters: int, seed: int = 0) -> Battles:
    """Random pairs, random voters, strengths of standard deviation 1."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=models)
    first = rng.integers(models, size=battles)
    second = (first + rng.integers(1, models, size=battles)) % models
    lead, tie = probabilities(strengths[first] - strengths[second], np.log(NU))
    draw, win = rng.random(battles), (1 - tie + lead) / 2
    outcome = np.where(draw < win, 0, np.where(draw < win + tie, 2, 1)).astype(np.int8)
    return Battles(first, second, outcome, models, clusters=(rng.integers(voters, size=battles),))


def sides(clustered: Battles) -> list[Side]:
    """All that is timed. The lists of the others are made here, off the clock."""
    battles = replace(clustered, clusters=())
    decided = battles.outcome != TIE
    pairs = np.stack([battles.first, battles.second], axis=1)[decided]
    lost = battles.outcome[decided] == SECOND_WINS
    pairs[lost] = pairs[lost][:, ::-1]
    listed = pairs.tolist()
    winners = [(evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw)[o] for o in battles.outcome.tolist()]
    xs, ys = ([f"m{code}" for code in side.tolist()] for side in (battles.first, battles.second))
    half, drop = "ours, ties as halves", "ours, ties dropped"
    return [
        Side("ours, counting alone", lambda: count(battles)),
        Side(half, lambda: rate(battles, ties="half"), "sandwich"),
        Side("ours, Davidson", lambda: rate(battles), "sandwich"),
        Side("ours, Davidson and rank intervals", lambda: rate(battles).ranks(), "sandwich, ranks"),
        Side("ours, Davidson clustered by voter", lambda: rate(clustered), "clustered sandwich"),
        Side(drop, lambda: rate(battles, ties="drop"), "sandwich"),
        Side(
            "evalica bradley_terry",
            lambda: evalica.bradley_terry(xs, ys, winners, tolerance=1e-9, limit=10_000),
            against=half,
        ),
        Side("evalica newman", lambda: evalica.newman(xs, ys, winners), against="ours, Davidson"),
        Side("choix ilsr_pairwise", lambda: choix.ilsr_pairwise(battles.models, listed), against=drop),
    ]


def measure(timed: list[Side], repeat: int) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """CPU seconds of each side, the sides in turn, and what each gave last."""
    taken: dict[str, list[float]] = {side.name: [] for side in timed}
    results = {}
    for _ in range(repeat):
        for side in timed:
            started = time.process_time()
            results[side.name] = side.run()
            taken[side.name].append(time.process_time() - started)
    return taken, results


def disagreements(results: Mapping[str, Any]) -> dict[str, float]:
    """The largest difference of two strengths from what each other library gives."""
    ours = results["ours, ties as halves"].strengths
    scores = results["evalica bradley_terry"].scores
    logs = np.log([scores[f"m{index}"] for index in range(len(ours))])
    decided = results["ours, ties dropped"].strengths
    by_choix = results["choix ilsr_pairwise"]
    return {
        "evalica": float(np.abs(logs - logs.mean() - ours).max()),
        "choix": float(np.abs(by_choix - by_choix.mean() - decided).max()),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--voters", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="20,000 battles of 20 models, once")
    parser.add_argument("--markdown", action="store_true", help="the table of BENCHMARKS.md alone")
    given = parser.parse_args(arguments)
    if given.quick:
        given.battles, given.models, given.voters, given.repeat = 20_000, 20, 1_000, 1
    timed = sides(simulate(given.battles, given.models, given.voters))
    taken, results = measure(timed, given.repeat)
    middle = {name: median(values) for name, values in taken.items()}
    rows = [
        [side.name, side.intervals, seconds(middle[side.name]),
         f"{middle[side.name] / max(middle[side.against], 1e-9):.1f}" if side.against else "–"]
        for side in timed
    ]  # fmt: skip
    print(table(HEADINGS, ALIGNED, rows))
    found = disagreements(results)
    if not given.markdown:
        print(f"\n{given.battles:,} battles, {given.models} models, {given.voters:,} voters")
        print("largest difference of a strength: " + ", ".join(f"{k} {v:.1e}" for k, v in found.items()))
        if not given.quick:
            slowest = max(middle[name] for name in ("ours, ties as halves", "ours, Davidson"))
            print(f"limit {LIMIT} CPU seconds: {'within' if slowest <= LIMIT else 'MISSED'}")
    if max(found.values()) > CLOSE:
        sys.exit(1)


if __name__ == "__main__":
    main()
