"""What was imported, read again: for each model, task and metric the score that counts, with its values per sample.

The newest file counts where several say something of the same model, task and metric; within a file the mean over its
rows (splits and subsets of MTEB). Values per sample stand for the score that was computed from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tianti.board.importers import FORMATS
from tianti.board.importers.form import FIELD, ITEMS, SCORES, WHAT, WHO
from tianti.board.importers.lm_eval import samples_of
from tianti.board.results import Choice, Items
from tianti.stats.intervals import mean_over_repeats
from tianti.stats.moments import Array
from tianti.store import ImportRecord, Store

KEY = (*WHO, *WHAT)
NOT_STATED: Mapping[str, Collection[str]] = {
    each.NAME: each.NOT_STATED for each in FORMATS if hasattr(each, "NOT_STATED")
}
"""Of the formats that have a row for each model: the columns that are not told of it."""


@dataclass(frozen=True)
class Found:
    """One model on one task by one metric."""

    model: str
    revision: str | None
    variant: str | None
    shots: int | None
    task: str
    version: str | None
    metric: str
    value: float | None
    n: int | None
    """How many samples the score is of; None where the file does not say."""
    higher_is_better: bool
    record: ImportRecord
    stderr: float | None = None
    part_of: str | None = None
    parameters: int | None = None
    architecture: str | None = None
    items: Items | None = None
    of: int | None = None
    """How many samples the task has, where the file says."""
    empty_rows: int = 0
    """Rows of the file that have no value, beside those that the value is the mean of."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """What the file says of the model beside its scores, by the names of its columns."""

    @property
    def who(self) -> tuple[Any, ...]:
        return (self.model, self.revision, self.variant)


def read_found(store: Store, records: Sequence[ImportRecord], tasks: Sequence[str] = ()) -> list[Found]:
    """What these files say, the later ones counting; of `tasks` (patterns such as `STS*`) only, where some are given.

    Raises:
        UnknownNameError: no task is called so.
        StoreError: a file of the store is gone or was changed.
    """
    found: dict[tuple[Any, ...], Found] = {}
    chosen = Choice(tasks)
    for record in records:
        for each in _read(store, record, chosen):
            key = (*each.who, each.shots, each.task, each.version, each.metric)
            before = found.get(key)
            if before is None:
                found[key] = each
            elif before.items is None or each.items is not None:
                found[key] = _beside(each, before)
            else:
                found[key] = _beside(before, each)
    chosen.check()
    return _without_double(list(found.values()))


def _beside(each: Found, other: Found) -> Found:
    """The one that counts, with what only the other file says of model and task."""
    return replace(
        each,
        part_of=each.part_of or other.part_of,
        parameters=each.parameters or other.parameters,
        architecture=each.architecture or other.architecture,
        of=each.of or other.of,
        stated=each.stated or other.stated,
    )


def _read(store: Store, record: ImportRecord, chosen: Choice) -> Iterable[Found]:
    """Scores first, then what has values per sample, which stand for them."""
    hidden = NOT_STATED.get(record.format)
    scores = store.imported_table(record, "scores", SCORES.names if hidden is None else None)
    items = store.imported_table(record, "items", ITEMS.names)
    found: list[Found] = []
    if scores is not None:
        scores = _only(scores, chosen)
        found += _scores(scores, record)
        if hidden is not None:
            stated = _stated(scores, hidden)
            found = [replace(each, stated=stated[each.who]) for each in found]
    if items is not None:
        found += _items(_only(items, chosen), record)
    for each in found:
        whole = samples_of(record.facts, each.task)[0]
        yield each if whole is None else replace(each, of=whole)


def _only(table: pa.Table, chosen: Choice) -> pa.Table:
    main = table.filter(table["main"])
    if not chosen.patterns:
        return main
    wanted = [name for name in main["task"].unique().to_pylist() if chosen.has(name)]
    return main.filter(pc.is_in(main["task"], pa.array(wanted, pa.string())))


def _stated(table: pa.Table, hidden: Collection[str]) -> dict[tuple[Any, ...], dict[str, str]]:
    """What each model's rows say beside its scores, which all of them repeat; without what is missing."""
    names = [
        name
        for name in table.column_names
        if name.startswith(FIELD) and name.removeprefix(FIELD) not in hidden
    ]
    who = ["model", "revision", "variant"]
    texts = pa.table({name: table[name].cast(pa.string()) for name in (*who, *names)})
    grouped = texts.group_by(who, use_threads=False).aggregate([(name, "max") for name in names])
    return {
        tuple(row[name] for name in who): {
            name.removeprefix(FIELD): row[f"{name}_max"] for name in names if row[f"{name}_max"] is not None
        }
        for row in grouped.to_pylist()
    }


def _scores(table: pa.Table, record: ImportRecord) -> Iterable[Found]:
    grouped = table.group_by(list(KEY), use_threads=False).aggregate(
        [
            ("value", "mean"), ("value", "count"), ([], "count_all"), ("stderr", "max"), ("n", "sum"),
            ("higher_is_better", "any"), ("part_of", "max"), ("parameters", "max"), ("architecture", "max"),
        ]
    )  # fmt: skip
    columns = [grouped[name].to_pylist() for name in KEY]
    rest = [
        grouped[name].to_pylist()
        for name in ("value_mean", "value_count", "count_all", "stderr_max", "n_sum", "higher_is_better_any",
                     "part_of_max", "parameters_max", "architecture_max")
    ]  # fmt: skip
    for *key, value, count, rows, stderr, n, higher, part_of, parameters, architecture in zip(
        *columns, *rest, strict=True
    ):
        yield Found(
            **dict(zip(KEY, key, strict=True)),
            value=value,
            stderr=stderr if count == 1 and stderr else None,
            empty_rows=rows - count if count else 0,
            n=n or None,
            higher_is_better=bool(higher),
            part_of=part_of,
            parameters=parameters,
            architecture=architecture,
            record=record,
        )


def _items(table: pa.Table, record: ImportRecord) -> Iterable[Found]:
    if not table.num_rows:
        return
    codes = np.stack([_codes(table[name]) for name in KEY])
    order = np.lexsort(codes[::-1])
    changes = (np.diff(codes[:, order], axis=1) != 0).any(axis=0)
    starts = [0, *(np.flatnonzero(changes) + 1).tolist()]
    values = table["value"].fill_null(np.nan).to_numpy()
    names, higher = table["item"].to_pylist(), table["higher_is_better"].to_pylist()
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = order[start:end]
        rows = np.sort(rows[~np.isnan(values[rows])])
        first = int(order[start])
        key = {name: table[name][first].as_py() for name in KEY}
        items = _of_rows(values, names, rows) if len(rows) else None
        yield Found(
            **key,
            value=float(items.values.mean()) if items else None,
            n=len(items.names) if items else 0,
            higher_is_better=bool(higher[first]),
            record=record,
            items=items,
        )


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number for each value; −1 for a missing one."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _of_rows(values: Array, names: Sequence[str], rows: NDArray[np.intp]) -> Items:
    own = [names[row] for row in rows]
    means, items = mean_over_repeats(values[rows], own)
    return Items(tuple(str(item) for item in items), means, None, min(Counter(own).values()))


def _without_double(found: list[Found]) -> list[Found]:
    """A group of tasks has a score made of theirs: it stands for them, unless they have values per sample."""
    sampled = {(each.who, each.task) for each in found if each.items is not None}
    parents = {each.task: each.part_of for each in found if each.part_of}
    above = {(who, group) for who, task in sampled for group in _ancestors(task, parents)}
    kept = [each for each in found if (each.who, each.task) not in above]
    there = {(each.who, each.task) for each in kept}
    return [
        each
        for each in kept
        if each.items is not None
        or not any((each.who, group) in there for group in _ancestors(each.task, parents))
    ]


def _ancestors(task: str, parents: Mapping[str, str]) -> list[str]:
    above: list[str] = []
    while (group := parents.get(task)) and group not in above:
        above.append(group)
        task = group
    return above
