"""How reported scores are laid out, the same in the terminal and on the site: rows are a benchmark and a model, columns
are methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from tianti.board.reported.scores import CHAIN, ReportedScore
from tianti.core.exceptions import UnknownNameError

METHODS = ("zero-shot", "few-shot", "chain-of-thought", "full")


def select(
    scores: Sequence[ReportedScore], task: str | None = None, model: str | None = None
) -> list[ReportedScore]:
    """The scores of one benchmark, of one model, or of both: the one of that name, else all whose names hold it.

    Raises:
        UnknownNameError: there is no such benchmark or model.
    """
    found = list(scores)
    for what, wanted in (("task", task), ("model", model)):
        if wanted is not None:
            found = _named(found, what, wanted)
    return found


def _named(scores: Sequence[ReportedScore], what: str, wanted: str) -> list[ReportedScore]:
    names = {score: getattr(score, what).casefold() for score in scores}
    same = [score for score in scores if names[score] == wanted.casefold()]
    found = same or [score for score in scores if wanted.casefold() in names[score]]
    if not found:
        raise UnknownNameError(
            f"reported {what}",
            wanted,
            {getattr(score, what) for score in scores},
            remedy="`tianti reported` lists all of them",
        )
    return found


def counts(scores: Sequence[ReportedScore]) -> dict[str, int]:
    """How many figures of how many models on how many benchmarks."""
    return {
        "figures": len(scores),
        "models": len({score.model for score in scores}),
        "tasks": len({score.task for score in scores}),
    }


def names_of(scores: Iterable[ReportedScore], what: Literal["task", "model"]) -> list[str]:
    """The names of the benchmarks or models, by which one chooses among them."""
    return sorted({getattr(score, what) for score in scores}, key=str.casefold)


def methods_of(scores: Iterable[ReportedScore]) -> list[str]:
    """The methods that have a figure, in the order of the columns."""
    present = {score.method for score in scores}
    return [method for method in METHODS if method in present]


def by_task(scores: Iterable[ReportedScore]) -> list[tuple[tuple[str, str], list[ReportedScore]]]:
    """The scores of each benchmark and metric; those that most models have come first."""
    groups: dict[tuple[str, str], list[ReportedScore]] = {}
    for score in scores:
        groups.setdefault((score.task, score.metric), []).append(score)
    return sorted(groups.items(), key=lambda item: (-len({score.model for score in item[1]}), item[0]))


def by_model(scores: Iterable[ReportedScore]) -> list[tuple[str, list[ReportedScore]]]:
    """The scores of each model, ordered by the highest: how one reads a table, and no rank."""
    groups: dict[str, list[ReportedScore]] = {}
    for score in scores:
        groups.setdefault(score.model, []).append(score)
    return sorted(groups.items(), key=lambda item: (-max(score.score for score in item[1]), item[0]))


def cell_text(scores: Iterable[ReportedScore], method: str) -> str:
    """The figures of a method: those of one adaptation side by side, those of another behind a semicolon."""
    groups: dict[tuple[str, ...], list[ReportedScore]] = {}
    for score in scores:
        if score.method == method:
            groups.setdefault(_asked(score), []).append(score)
    return "; ".join(_figures(found, asked) for asked, found in groups.items())


def _asked(score: ReportedScore) -> tuple[str, ...]:
    """What tells this adaptation from others of its column."""
    shots = [f"k={score.shots}"] if score.shots else []
    return (*shots, *(done for done in score.protocol if done != CHAIN or score.method == "full"))


def _figures(scores: Sequence[ReportedScore], asked: Sequence[str]) -> str:
    several = len({score.split for score in scores}) > 1
    values = [
        f"{score.score:g}" + (f" ({score.split})" if several or score.split in ("dev", "val") else "")
        for score in scores
    ]
    return " / ".join(dict.fromkeys(values)) + (f" ({', '.join(asked)})" if asked else "")


def sources_of(scores: Iterable[ReportedScore]) -> list[ReportedScore]:
    """One score for each text that is cited."""
    found = {(score.citation, score.quoted_in, score.status): score for score in scores}
    return list(found.values())
