"""`tianti explain RUN`: which words of a question decided the answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption

TOP = 5
"""Words of a sample that are printed for its answer, and as many against it, the heaviest first."""


def explain(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or the beginning of it.")],
    samples: Annotated[int, typer.Option("--samples", min=1, help="Explain so many, from the first.")] = 20,
    steps: Annotated[int, typer.Option("--steps", min=2, help="Points of gradients to begin with.")] = 32,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Attribute a run's answers to the words of the questions, and check that these matter."""
    from tianti.cli.progress import TerminalProgress
    from tianti.cli.show import find_run
    from tianti.evaluation.attribution.words import by_word
    from tianti.explain import explain_run
    from tianti.store import open_store

    with open_store(store) as opened:
        found = explain_run(opened, find_run(opened.runs(), run), TerminalProgress(), samples, steps)
    if as_json:
        typer.echo(json.dumps(_as_json(found), ensure_ascii=False, indent=2))
        return
    for (sample, _), each in found.samples.items():
        typer.echo(
            f"{sample}: {each['answer']} (log-probability {each['score']:.3f}, without words "
            f"{each['baseline']:.3f}; delta {each['delta']:.1e})"
        )
        for line in _heaviest(by_word(each["tokens"])):
            typer.echo(line)
    for sample, reason in found.refused.items():
        typer.echo(f"{sample}: not explained: {reason}")
    typer.echo(_says(found))


def _heaviest(words: Sequence[tuple[str, float]]) -> Iterable[str]:
    """A line of the words that speak for the answer, and one of those that speak against it."""
    for side, sign in (("for", 1), ("against", -1)):
        there = sorted((word for word in words if sign * word[1] > 0), key=lambda word: -sign * word[1])
        if there:
            yield f"  {side}: " + "  ".join(f"{word} {weight:+.3f}" for word, weight in there[:TOP])


def _says(found: Any) -> str:
    """What deleting tokens says, in one line."""
    check = found.check
    return (
        f"Without the heaviest fifth of the tokens the answer loses {100 * found.top_drop:.1f} points of probability, "
        f"without a random fifth {100 * found.random_drop:.1f}: difference {100 * check.estimate:.1f} "
        f"[{100 * check.low:.1f}, {100 * check.high:.1f}] ({check.method}, n = {check.n})"
    )


def _as_json(found: Any) -> dict[str, Any]:
    return {
        "run": found.run_id,
        "samples": {sample: dict(each) for (sample, _), each in found.samples.items()},
        "deletion": {"top_drop": found.top_drop, "random_drop": found.random_drop, **asdict(found.check)},
        "refused": dict(found.refused),
    }
