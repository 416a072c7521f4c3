"""What was imported, as the results that a board is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tianti.board.board import Board
from tianti.board.importers.form import CHAT
from tianti.board.importers.lm_eval import RATIOS, part_of_task
from tianti.board.importers.openllm_v2 import NORMALISED
from tianti.board.importers.stored import Found, read_found
from tianti.board.results import Items, Result
from tianti.core.fingerprint import fingerprint
from tianti.core.wording import counted
from tianti.evaluation.score import Score
from tianti.store import Store

BY_TASK = "by task"
NO_ARCHITECTURE = frozenset({"", "?", "unknown"})
"""What files write where they do not know it."""


def imported_results(store: Store, study: str | None = None, tasks: Sequence[str] = ()) -> list[Result]:
    """The results that were imported to a study; by default those of the newest import's. Of `tasks` only, where
    some are given, by patterns of the names that the files give them.

    Raises:
        UnknownNameError: no task is called so.
        StoreError: a file of the store is gone or was changed.
    """
    records = store.imports(study)
    if study is None and records:
        records = [record for record in records if record.study == records[-1].study]
    return _results(read_found(store, records, tasks))


def imported_items(store: Store, board: Board) -> dict[str, dict[str, Items]]:
    """The values per sample of the entries of an imported board: by the entry's id, then by the column's name.

    Entries and tasks that have none are left out.
    """
    if not any("items" in record.parts for record in store.imports(board.title or None)):
        return {}
    tasks = {column.fingerprint: column.name for column in board.columns}
    entries = entry_ids(board)
    found: dict[str, dict[str, Items]] = defaultdict(dict)
    for result in imported_results(store, board.title or None):
        entry = entries.get((result.model["fingerprint"], result.adaptation["label"]))
        task = tasks.get(result.task["fingerprint"])
        if result.items is not None and entry is not None and task is not None:
            found[entry][task] = result.items
    return dict(found)


def entry_ids(board: Board) -> dict[tuple[str, str], str]:
    """The ids of the entries of an imported board, by the fingerprints of their models and their adaptations."""
    return {
        (entry.model_fingerprint, entry.adaptation.partition(" #")[0]): entry.id for entry in board.entries
    }


def imported_pairs(store: Store, study: str) -> list[tuple[Found, Result]]:
    """What the files of a study say, each with the result that it is.

    Raises:
        StoreError: a file of the store is gone or was changed.
    """
    found = read_found(store, store.imports(study))
    return list(zip(found, _results(found), strict=True))


def _results(found: Sequence[Found]) -> list[Result]:
    """With the number of examples in the adaptation; where a model was asked each task with another number, in the
    names of the tasks."""
    shots: dict[tuple[Any, ...], dict[str, set[int | None]]] = defaultdict(lambda: defaultdict(set))
    for each in found:
        shots[each.who][each.task].add(each.shots)
    curves = any(len(ks) > 1 for tasks in shots.values() for ks in tasks.values())
    mixed = any(len(set().union(*tasks.values())) > 1 for tasks in shots.values())
    by_task = mixed and not curves
    made: dict[tuple[Any, ...], dict[str, Any]] = {}

    def once(key: tuple[Any, ...], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Thousands of rows share their models and tasks."""
        if key not in made:
            made[key] = make()
        return made[key]

    names = _names(found, by_task)
    whole: dict[tuple[Any, ...], int] = defaultdict(int)
    for each in found:
        whole[_column(each)] = max(whole[_column(each)], each.n or 0, each.of or 0)
    return [
        replace(
            _result(each, names[_column(each)], BY_TASK if by_task else each.shots, once),
            reason=_reason(each, whole[_column(each)]),
        )
        for each in found
    ]


def _reason(each: Found, whole: int) -> str:
    """Why there is no value, or of what part of the task it is. `whole` is how many samples anybody was asked."""
    if each.value is None:
        return f"{each.record.source} has no value"
    part = part_of_task(each.n, whole)
    empty = (
        f"{counted(each.empty_rows, 'row')} of {each.record.source} without a value"
        if each.empty_rows
        else ""
    )
    return "; ".join(said for said in (part, empty) if said)


def _column(each: Found) -> tuple[Any, ...]:
    return each.task, each.version, each.metric, each.shots


def _names(found: Sequence[Found], by_task: bool) -> dict[tuple[Any, ...], str]:
    """What each task is called: with the number of examples, the version or the metric where these tell it apart."""
    columns = {_column(each): each for each in found}
    versions: dict[str, set[str | None]] = defaultdict(set)
    metrics: dict[str, set[str]] = defaultdict(set)
    for each in columns.values():
        versions[each.task].add(each.version)
        metrics[each.task].add(each.metric)
    names = {}
    for key, each in columns.items():
        said = [f"{each.shots}-shot"] if by_task and each.shots is not None else []
        said += [f"version {each.version or '?'}"] if len(versions[each.task]) > 1 else []
        said += [each.metric] if len(metrics[each.task]) > 1 else []
        names[key] = f"{each.task} ({', '.join(said)})" if said else each.task
    return names


def _result(each: Found, name: str, asked: int | str | None, once: Callable[..., dict[str, Any]]) -> Result:
    return Result(
        run_id="",
        state="finished",
        reason="",
        started_at=each.record.imported_at,
        model=once(("model", each.who), lambda: _model(each)),
        adaptation=once(("adaptation", each.variant, asked), lambda: _adaptation(each, asked)),
        task=once(
            ("task", name, each.version, each.metric, each.higher_is_better), lambda: _task(each, name)
        ),
        seed=None,
        limit=None,
        score=_score(each),
        items=each.items,
        stderr=each.stderr,
        provenance="imported",
    )


def _model(each: Found) -> dict[str, Any]:
    return {
        "name": each.model,
        "fingerprint": fingerprint(["imported", each.record.study, each.model, each.revision]),
        "source": each.record.format,
        "architecture": _architecture(each.architecture or ""),
        "parameters": each.parameters,
        "stated": each.stated,
    }


def _architecture(said: str) -> str:
    return "" if said.strip().casefold() in NO_ARCHITECTURE else said


def _adaptation(each: Found, shots: int | str | None) -> dict[str, Any]:
    """How the model was asked; `prompt` where the file does not say with how many examples."""
    name = "zero-shot" if shots == 0 else "few-shot" if shots is not None else "prompt"
    inside = [f"k={shots}"] if shots else []
    inside += [each.variant.replace(CHAT, "chat")] if each.variant else []
    label = f"{name}({', '.join(inside)})" if inside else name
    return {"name": name, "label": label, "settings": {"k": shots, "variant": each.variant}}


def _task(each: Found, name: str) -> dict[str, Any]:
    base = each.metric.partition("@")[0]
    metric = {
        "name": each.metric,
        # The leaderboard's own figure has guessing at 0.
        "chance": 0.0 if each.metric == NORMALISED else None,
        "higher_is_better": each.higher_is_better,
        "scale": "ratio" if base in RATIOS else "proportion",
    }
    return {
        "name": name,
        "fingerprint": fingerprint(["imported", each.record.study, name, each.version, each.metric]),
        "kind": "",
        "language": "",
        "split": "",
        "version": each.version or "",
        "metrics": [metric],
    }


def _score(each: Found) -> Score:
    return Score(
        metric=each.metric,
        value=each.value,
        low=None,
        high=None,
        level=0.95,
        method="",
        n=each.n,
        clusters=None,
        target="new items",
        errors=None,
        skipped=None,
        chance=None,
        higher_is_better=each.higher_is_better,
        scale="proportion",
        main=True,
    )
