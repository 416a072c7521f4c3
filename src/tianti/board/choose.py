"""Which runs a board is made of, and what its columns and entries are called."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tianti.board.entries import Column, Exclusion
from tianti.board.results import Result
from tianti.core.fingerprint import fingerprint
from tianti.store import UPDATES
from tianti.tasks.metrics import is_signed

FRESH = "fresh"
"""The split that is there to be compared with the public one: it would count a task twice."""


def choose(results: Sequence[Result]) -> tuple[list[Result], int]:
    """(the results that make up the board, how many finished ones are left out), the same for any order.

    Cells are compared only when they are of the same samples: of a task that was run with several limits, the
    runs with the most samples count. Runs that stopped when a ranking was decided stand on a board of such runs
    of one decision only. Of several runs of one cell and seed (other dtypes, say) the newest
    counts. A run that did not finish stands only where no finished one does.
    """
    ordered = _asked_alike(sorted(results, key=lambda result: (result.started_at, result.run_id)))
    limits = _limits(ordered)
    chosen: dict[tuple[str, str, int | None], Result] = {}
    for result in ordered:
        key = (result.entry_key, result.task_key, result.seed)
        finished = result.state == "finished"
        if finished and result.limit != limits[result.task_key]:
            continue
        if finished or key not in chosen or chosen[key].state != "finished":
            chosen[key] = result
    finished_count = sum(result.state == "finished" for result in results)
    return list(chosen.values()), finished_count - sum(r.state == "finished" for r in chosen.values())


def _asked_alike(results: Sequence[Result]) -> list[Result]:
    """Without the runs that stopped early where others did not; of those alone, the ones decided with the newest."""
    finished = [result for result in results if result.state == "finished"]
    if all(not result.decided for result in finished):
        return list(results)
    whole = any(not result.decided for result in finished)
    family = None if whole else finished[-1].decided["family"]
    return [result for result in results if not result.decided or result.decided["family"] == family]


def _limits(results: Iterable[Result]) -> dict[str, int | None]:
    """For each task the largest limit of a finished run; None is no limit, and the largest."""
    limits: dict[str, int | None] = {}
    for result in results:
        if result.state != "finished":
            continue
        known = limits.setdefault(result.task_key, result.limit)
        if known is not None and (result.limit is None or result.limit > known):
            limits[result.task_key] = result.limit
    return limits


def columns_of(results: Sequence[Result]) -> dict[str, Column]:
    """The column of each task, by task key, ordered by name."""
    first: dict[str, Result] = {}
    for result in results:
        known = first.get(result.task_key)
        if known is None or (known.state != "finished" and result.state == "finished"):
            first[result.task_key] = result
    named = distinct((result.task["name"], result.task["fingerprint"]) for result in first.values())
    values = _values_by_task(results)
    public = {_base(result) for result in first.values() if result.task["split"] != FRESH}
    columns = {
        key: _column(result, named[result.task["name"], result.task["fingerprint"]], values[key])
        for key, result in first.items()
    }
    for key, result in first.items():
        if result.task["split"] == FRESH and _base(result) in public and columns[key].counts:
            columns[key] = replace(columns[key], excluded="fresh")
    answered = {key for key in columns if any(_has_score(result) for result in values[key])}
    if any(columns[key].counts for key in answered):
        # A task that is refused by every entry, say, would be missing in every mean, and nobody would be ranked.
        for key, column in columns.items():
            if column.counts and key not in answered:
                columns[key] = replace(column, excluded="unanswered")
    return dict(sorted(columns.items(), key=lambda item: (not item[1].counts, item[1].name)))


def distinct(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A name for each (name, fingerprint): with the fingerprint's first digits where others bear the same
    name."""
    unique = sorted(set(pairs))
    count = Counter(name for name, _ in unique)
    return {(name, digest): name if count[name] == 1 else f"{name} #{digest[:6]}" for name, digest in unique}


def entry_names(results: Sequence[Result]) -> dict[str, tuple[str, str]]:
    """(model, adaptation) as the board calls them, by entry key."""
    first: dict[str, Result] = {}
    for result in results:
        first.setdefault(result.entry_key, result)
    settings = {key: _settings(result) for key, result in first.items()}
    models = distinct((r.model["name"], r.model["fingerprint"]) for r in first.values())
    adaptations = distinct((_label(r), settings[key]) for key, r in first.items())
    return {
        key: (
            models[r.model["name"], r.model["fingerprint"]],
            adaptations[_label(r), settings[key]],
        )
        for key, r in first.items()
    }


def _label(result: Result) -> str:
    """What the adaptation is called; of data that `tianti update` keeps in a store the first digits, not the path."""
    return re.sub(
        rf"[^\s='\"]*/{UPDATES}/([0-9a-f]{{8}})[0-9a-f]{{8}}/task\.yaml", r"\1", result.adaptation["label"]
    )


def _base(result: Result) -> str:
    """The task's name without its split and seed."""
    return str(result.task["name"]).partition("(")[0]


def _settings(result: Result) -> str:
    return fingerprint([result.adaptation["name"], result.adaptation["settings"]])


def _values_by_task(results: Sequence[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result.task_key].append(result)
    return found


def _has_score(result: Result) -> bool:
    return result.score is not None and result.score.value is not None


def _column(result: Result, name: str, results: Sequence[Result]) -> Column:
    metric, task = result.metric, result.task
    return Column(
        name=name,
        kind=task["kind"],
        language=task["language"],
        split=task["split"],
        version=task["version"],
        fingerprint=task["fingerprint"],
        limit=result.limit,
        metric=metric["name"],
        chance=metric["chance"],
        higher_is_better=metric["higher_is_better"],
        scale=metric["scale"],
        excluded=_exclusion(result, results),
    )


def _exclusion(result: Result, results: Sequence[Result]) -> Exclusion:
    """Why a task cannot be part of the mean: its metric has no place between guessing (0) and perfect (1)."""
    metric = result.metric
    if metric["scale"] == "ratio":
        return "ratio"
    if is_signed(metric["name"]):
        return "range"
    if not metric["higher_is_better"]:
        return "lower"
    if metric["chance"] is not None and not 0 <= metric["chance"] < 1:
        return "chance"
    items = [each.items.values for each in results if each.items is not None]
    if any(((values < 0) | (values > 1)).any() for values in items):
        return "range"
    # A score without values per sample may be a correlation.
    bare = [each.score.value for each in results if each.items is None and each.score is not None]
    return "range" if any(abs(value) > 1 for value in bare if value is not None) else ""
