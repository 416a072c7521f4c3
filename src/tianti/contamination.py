"""What is known of the contamination of an entry on a task, by each method that can be applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tianti.adapt import label
from tianti.adapt.fitting import need_prompted, prompted_backend
from tianti.board.build import build_board
from tianti.board.cells import average
from tianti.board.inflation import inflation_text, overlap_text
from tianti.board.results import Items, read_result
from tianti.conductor import conduct
from tianti.core.call import Call, parse_call
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Progress
from tianti.evaluation.canonical_order import check_order
from tianti.evaluation.contamination import contamination_facts, gap_facts
from tianti.models import load_model
from tianti.stats import Group, gaps
from tianti.stats.intervals import THIS_BANK
from tianti.store import Run, Store
from tianti.study import Study, Trial, full_notation, study_of, trials
from tianti.tasks import Task
from tianti.tasks.task_file.keys import GeneratedData
from tianti.tasks.yaml_task import YamlTask

Method = Literal["overlap", "fresh", "order"]
METHODS: tuple[Method, ...] = ("overlap", "fresh", "order")
BETWEEN = " · "
"""Stands between model and adaptation in the name of an entry."""
NOT_CLEAN = "a large p does not clear the model: it may have read the items in another order"


@dataclass(frozen=True)
class Finding:
    """What one method says of one entry on one task. `applies` is False where it cannot be used; `says` tells why.

    `figures` has the numbers: shares and scores in 0–1, log-probabilities in nats.
    """

    entry: str
    task: str
    method: Method
    applies: bool
    says: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def study_of_entry(store: Store, name: str, **fields: Any) -> Study:
    """The study of an entry of the board (`nano:llama · lora`), or of a model that is to be adapted by `adaptations`.

    Raises:
        UnknownNameError: it is named as an entry, and the board has none of this name.
        InputError: the fields make no study.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    if BETWEEN not in name:
        return study_of(study="contamination", models=[name], **given)
    entry = build_board(store).measured(name)
    if "adaptations" in given:
        raise InputError(
            f"{name} names its adaptation already", remedy="leave --adapt out, or name the model"
        )
    manifests = [store.run(run_id).manifest for cell in entry.cells.values() for run_id in cell.run_ids]
    model = manifests[0]["model"]
    revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
    seeds = sorted({manifest["seed"] for manifest in manifests if manifest["seed"] is not None})
    return study_of(
        study="contamination",
        models=[model["reference"] + revision],
        **{"adaptations": [full_notation(manifests[0])], **({"seeds": seeds} if seeds else {}), **given},
    )


def check_contamination(
    study: Study,
    store: Store,
    progress: Progress,
    methods: Sequence[Method] = METHODS,
    fresh_seed: int | None = None,
) -> list[Finding]:
    """Every method on every entry and task of a study. What is finished in the store is not run again.

    `fresh_seed` draws the fresh samples anew; without it they are those that come with the task.

    Raises:
        InputError: something named does not exist.
        StoreError: results cannot be kept or read.
    """
    public = trials(study)
    cells: dict[tuple[str, str], list[Trial]] = {}
    for trial in public:
        cells.setdefault((_entry(trial), trial.task.info.name), []).append(trial)
    found: list[Finding] = []
    if "overlap" in methods:
        found += [_overlap(key, cell, store, progress) for key, cell in cells.items()]
    if "fresh" in methods:
        found += _fresh(study, cells, store, progress, fresh_seed)
    if "order" in methods:
        found += _orders(public, study.limit)
    return sorted(found, key=lambda each: (each.entry, each.task, METHODS.index(each.method)))


def _entry(trial: Trial) -> str:
    return f"{trial.model.name}{BETWEEN}{label(trial.adaptation)}"


def _runs(planned: Sequence[Trial], store: Store, progress: Progress) -> list[Run]:
    """The finished runs of these trials.

    Raises:
        InputError: one cannot be measured.
    """
    outcomes = list(conduct(planned, store, progress))
    for outcome in outcomes:
        if outcome.state in ("refused", "failed"):
            raise InputError(f"{outcome.trial.title}: {outcome.reason}")
    return [outcome.run for outcome in outcomes]


def _overlap(key: tuple[str, str], cell: Sequence[Trial], store: Store, progress: Progress) -> Finding:
    if not cell[0].adaptation.trains:
        return Finding(
            *key, "overlap", False, "nothing was trained here, and what the model read before is not known"
        )
    runs = zip(cell, _runs(cell, store, progress), strict=True)
    facts = [run.cost.get("contamination") or _recorded_later(trial, run, store) for trial, run in runs]
    worst = max(facts, key=lambda each: int(each["overlapping"]))
    return Finding(
        *key, "overlap", True, overlap_text(worst), {**worst, "target": THIS_BANK, "n": worst["items"]}
    )


def _recorded_later(trial: Trial, run: Run, store: Store) -> Mapping[str, Any]:
    """The facts of a run that was made before they were recorded, from its answers."""
    answers = store.answers(run.run_id)
    found: Mapping[str, Any] = contamination_facts(trial.adaptation, trial.task, trial.seed or 0, answers)[
        "contamination"
    ]
    return found


def _fresh(
    study: Study,
    cells: Mapping[tuple[str, str], Sequence[Trial]],
    store: Store,
    progress: Progress,
    seed: int | None,
) -> Iterator[Finding]:
    """Public minus fresh score of each entry and task, as one family."""
    keys, pairs, notes = [], [], []
    for key, cell in cells.items():
        reference = fresh_reference(cell[0].task, seed)
        if reference is None:
            why = "the task is not generated, so there are no fresh samples of it"
            yield Finding(*key, "fresh", False, why)
            continue
        fresh = trials(replace_tasks(study, reference))
        mine = [trial for trial in fresh if _entry(trial) == key[0]]
        items = [_items(_runs(planned, store, progress), store) for planned in (cell, mine)]
        if items[0] is None or items[1] is None:
            yield Finding(*key, "fresh", False, "the task's metric is no mean over samples")
            continue
        sign = 1.0 if cell[0].task.metrics[0].higher_is_better else -1.0
        keys.append(key)
        pairs.append((_group(items[0], sign), _group(items[1], sign)))
        repeats = min(each.repeats for each in items if each is not None)
        drawn = cell[0].adaptation.trains and cell[0].adaptation.seeded
        notes.append((mine[0].task.info.name, repeats, drawn))
    for key, found, (name, repeats, drawn) in zip(keys, gaps(pairs), notes, strict=True):
        if found is None:
            yield Finding(*key, "fresh", False, "no answer could be scored")
            continue
        facts = gap_facts(found) | {"fresh_task": name, "repeats": repeats, "method": found.interval.method}
        says = (
            f"{inflation_text(facts)}; {found.n_first:,} public against {found.n_second:,} fresh items"
            + (f", Holm over {found.family} gaps" if found.family > 1 else "")
            + (f"; trained anew for {name}: several seeds even out the luck of training" if drawn else "")
        )
        yield Finding(*key, "fresh", True, says, facts)


def fresh_reference(task: Task, seed: int | None = None) -> str | None:
    """The reference of a generated task's fresh split; None where a task has none, or is it already."""
    if (
        not isinstance(task, YamlTask)
        or not isinstance(task.file.data, GeneratedData)
        or task.split == "fresh"
    ):
        return None
    path = Path(task.reference)
    call = Call(task.reference) if path.is_file() else parse_call(task.reference)
    changed = {**call.arguments, "split": "fresh"} | ({} if seed is None else {"seed": seed})
    return str(Call(call.name, changed))


def replace_tasks(study: Study, *references: str) -> Study:
    return study.model_copy(update={"tasks": references})


def _items(runs: Sequence[Run], store: Store) -> Items | None:
    return average([items for run in runs if (items := read_result(store, run).items) is not None])


def _group(items: Items, sign: float) -> Group:
    return Group(sign * items.values, items.clusters)


def _orders(planned: Sequence[Trial], limit: int | None) -> Iterator[Finding]:
    """The canonical-order test of each model as it is, on each task."""
    seen: dict[tuple[str, str], Trial] = {}
    for trial in planned:
        seen.setdefault((trial.model.fingerprint, trial.task.info.name), trial)
    for trial in seen.values():
        key = trial.model.name, trial.task.info.name
        try:
            yield replace(_order(trial, limit), entry=key[0], task=key[1])
        except IncompatibleError as error:
            yield Finding(*key, "order", False, error.message)


def _order(trial: Trial, limit: int | None) -> Finding:
    if isinstance(trial.task, YamlTask) and isinstance(trial.task.file.data, GeneratedData):
        raise IncompatibleError("its samples are generated in balanced blocks, so their order is not free")
    loaded = load_model(trial.model, trial.options)
    need_prompted("the test of order", loaded)
    found = check_order(prompted_backend(loaded), trial.task, limit=limit)
    says = (
        f"p = {found.p:.4f} that all orders of the items are alike to the model ({found.shards} shards, "
        f"{found.permutations} shuffled orders each; valid where the data is not sorted); {NOT_CLEAN}"
    )
    target = {"target": "this bank", "n": trial.task.count(limit), "family": 1}
    return Finding("", "", "order", True, says, {**asdict(found), **target})
