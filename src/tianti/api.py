"""What `import tianti` offers: run a study, evaluate a model, load a board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tianti.adapt import Adapted
from tianti.board import Board, Rules
from tianti.board.battles import BattleRatings, rate_votes
from tianti.board.build import build_board, results_of
from tianti.board.compare import Comparison, compare
from tianti.board.item_scores import ItemRanking, find_columns, items_of_results, read_items, write_items
from tianti.board.item_scores import rank_items as rank_item_table
from tianti.board.item_scores.table import with_chances
from tianti.board.place import NewEntry, PlacedEntry, place
from tianti.board.streams import Stream, read_streams
from tianti.board.tables import as_table
from tianti.conductor import Outcome, conduct, say_shortfalls
from tianti.core.exceptions import InputError
from tianti.core.progress import Progress, Silent
from tianti.deployment import Lesson, Update, Version, learn_on
from tianti.deployment import Rules as UpdateRules
from tianti.deployment import deployed as find_deployed
from tianti.explain import load_again
from tianti.models import LoadedModel, check_device, check_engine, from_objects
from tianti.sequential.decide import conduct_until_decided
from tianti.stats import AggregateName
from tianti.stats.ranks import RankMethod
from tianti.stats.ratings import Ties
from tianti.store import Store, open_store
from tianti.study import Study, Trial, checked_study, nothing_fits, read_study, study_of, trials
from tianti.workers import conduct_in_parallel, count_workers, unfinished

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DEFAULT_STORE = Path("tianti-store")


@dataclass(frozen=True)
class StudyResult:
    """What became of each trial, and the board of the study."""

    outcomes: list[Outcome]
    board: Board


def run_study(
    study: Study,
    planned: Sequence[Trial],
    store: Store,
    progress: Progress,
    loaded_models: Sequence[LoadedModel] = (),
) -> StudyResult:
    """Run the planned trials of a study and build its board.

    Raises:
        ModelError: there is a network to run, and the study's device is not there.
        MissingExtraError: … or the study's engine is not installed.
    """
    todo = unfinished(planned, store)
    if any(trial.model.architecture != "baseline" for trial in todo):
        check_device(study.device)
        check_engine(study.engine)
        say_shortfalls(todo, progress)
    store.record_study(study.study, [trial.id for trial in planned], study.to_yaml())
    if study.until:
        decided = conduct_until_decided(study, planned, store, progress, loaded_models)
        return StudyResult(decided, build_board(store, study.study))
    workers = 1 if loaded_models else count_workers(study, planned, store)
    outcomes = list(
        conduct(planned, store, progress, loaded_models)
        if workers == 1
        else conduct_in_parallel(study, planned, store, progress, workers)
    )
    return StudyResult(outcomes, build_board(store, study.study))


def run(
    study: Study | Mapping[str, Any] | str | Path,
    *,
    store: str | Path = DEFAULT_STORE,
    progress: Progress | None = None,
) -> Board:
    """Run a study (a file, a mapping with its keys, or a Study) and return its board.

    Finished trials are found, not run again.

    Raises:
        InputError: the study, a model, an adaptation or a task cannot be used, or nothing at all could be measured.
    """
    study = _as_study(study)
    with Store(Path(store)) as opened:
        result = run_study(study, trials(study), opened, progress or Silent())
    return _board_unless_nothing_was_measured(result)


def evaluate(
    model: str | Path | PreTrainedModel,
    tasks: str | Iterable[str],
    *,
    adaptations: str | Iterable[str] = ("zero-shot",),
    seeds: Iterable[int] = (0,),
    limit: int | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
    name: str | None = None,
    store: str | Path = DEFAULT_STORE,
    progress: Progress | None = None,
) -> Board:
    """Evaluate one model under one or more adaptations on one or more tasks.

    `model` is a reference (`nano:llama`, a folder, a hub id) or a transformers model object with its `tokenizer`. An
    object comes back as it was: its weights, and whether it was in training mode.

    >>> board = tianti.evaluate("nano:llama", ["nano/sentiment"], adaptations=["zero-shot", "lora(r=8)"])

    Raises:
        InputError: something named does not exist or does not fit together.
    """
    loaded: tuple[LoadedModel, ...] = ()
    if isinstance(model, str | Path):
        reference = str(model)
    else:
        loaded = (from_objects(model, tokenizer, name or type(model).__name__),)
        reference = loaded[0].model.name
    study = study_of(
        study=_study_name(reference), models=[reference], adaptations=_many(adaptations), tasks=_many(tasks),
        seeds=_many(seeds), limit=limit,
    )  # fmt: skip
    planned = trials(study, [one.model for one in loaded])
    training = getattr(model, "training", False)
    try:
        with Store(Path(store)) as opened:
            result = run_study(study, planned, opened, progress or Silent(), loaded)
    finally:
        if training and not isinstance(model, str | Path):
            model.train()
    return _board_unless_nothing_was_measured(result)


def load_board(
    store: str | Path = DEFAULT_STORE,
    study: str | None = None,
    rules: Rules | None = None,
    tasks: str | Iterable[str] = (),
) -> Board:
    """The board of everything in a store, or of one study; `rules` say how it is computed, `tasks` (patterns such as
    `nano/*`) of which tasks. Where nothing was run, it is of what was imported last.

    Raises:
        UnknownNameError: there is no such study or task.
        StoreError: there is no store in that folder.
    """
    with open_store(store) as opened:
        return build_board(opened, study, rules or Rules(), _names(tasks))


def load_streams(
    store: str | Path = DEFAULT_STORE, study: str | None = None, level: float = 0.95
) -> list[Stream]:
    """What the streams of tasks in a store, or in one study, left: matrices and what follows from them.

    Raises:
        StoreError: there is no store in that folder.
    """
    with open_store(store) as opened:
        return read_streams(opened, study, level)


def compare_entries(store: str | Path, first: str, second: str, study: str | None = None) -> Comparison:
    """Compare two entries, named as the board names them, on the samples that both answered."""
    with open_store(store) as opened:
        return compare(opened, build_board(opened, study), first, second)


def rate_battles(
    battles: str | Path | pa.Table | pd.DataFrame | Mapping[str, Sequence[Any]],
    *,
    left: str | None = None,
    right: str | None = None,
    winner: str | None = None,
    voter: str | None = None,
    prompt: str | None = None,
    ties: Ties = "davidson",
    style: str | Iterable[str] = (),
    anchor: str | None = None,
    prior: float = 0.0,
    level: float = 0.95,
    limit_to: str | Iterable[str] = (),
    leave_out: str | Iterable[str] = (),
) -> BattleRatings:
    """Rate models by votes on pairs of answers: a file (CSV, TSV, JSONL, Parquet) or a table, one battle a row.

    The options are those of `tianti battles`.

    >>> print(tianti.rate_battles("votes.csv", style="length_a:length_b", anchor="gpt-4"))

    Raises:
        InputError: a column or value cannot be used, or the battles determine no ratings.
    """
    return rate_votes(
        as_table(battles, "votes"), left=left, right=right, winner=winner, voter=voter, prompt=prompt, ties=ties,
        style=_names(style), anchor=anchor, prior=prior, level=level, limit_to=_names(limit_to),
        leave_out=_names(leave_out),
    )  # fmt: skip


def place_entry(
    store: str | Path, new: NewEntry, study: str | None = None, progress: Progress | None = None
) -> PlacedEntry:
    """Ask a new entry samples until its rank on the board of a store, or of one study, is settled."""
    check_device(new.options.device)
    with open_store(store) as opened:
        return place(opened, build_board(opened, study), new, progress or Silent())


def rank_items(
    scores: str | Path | pa.Table | pd.DataFrame | Mapping[str, Sequence[Any]] | None = None,
    *,
    by: AggregateName = "mean",
    weights: Mapping[str, float] | None = None,
    chances: Mapping[str, float] | None = None,
    level: float = 0.95,
    ranks: RankMethod | None = None,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    store: str | Path = DEFAULT_STORE,
    study: str | None = None,
    items_to: str | Path | None = None,
) -> ItemRanking:
    """Rank entries by their scores per item, from a file or a table with one score a row, or from a store.

    The options are those of `tianti rank`; `columns` names columns by their roles (`entry`, `task`, `item`, `score`,
    `cluster`, `repeat`), `weights` and `chances` are by task. `items_to` is a file to write the scores per item to.

    >>> print(tianti.rank_items("scores.parquet", by="borda", chances={"mmlu": 0.25}))

    Raises:
        InputError: a column or value cannot be used, or such an order cannot be computed.
    """
    if scores is None:
        with open_store(store) as opened:
            found = items_of_results(results_of(opened, study))
    else:
        table = as_table(scores, "scores")
        found = read_items(table, find_columns(table.column_names, **dict(columns or {})))
    found = with_chances(found, chances or {})
    if items_to is not None:
        if isinstance(scores, str | Path) and Path(items_to).absolute() == Path(scores).absolute():
            raise InputError(
                f"{items_to}: the scores are read from this file, and would be written over it",
                remedy="name another file to write to",
            )
        write_items(found, Path(items_to))
    return rank_item_table(found, by, weights=weights, level=level, ranks=ranks, seed=seed)


def load_adapted(run: str, store: str | Path = DEFAULT_STORE) -> Adapted:
    """The adapted model of a run, as it was measured: what was trained is loaded, its `backend` answers requests.

    Raises:
        UnknownNameError: the store has no such run.
        StoreError: model, task or adaptation are not what they were when the run was measured.
    """
    with open_store(store) as opened:
        return load_again(opened, opened.run(run), Silent()).adapted


def update(
    entry: str,
    data: str | Path | None = None,
    *,
    task: str | None = None,
    strategy: str | None = None,
    method: str | None = None,
    margin: float = 2.0,
    by: Literal["estimate", "bound"] = "estimate",
    must_learn: bool = False,
    allow_overlap: bool = False,
    device: str = "auto",
    store: str | Path = DEFAULT_STORE,
    progress: Progress | None = None,
) -> Update:
    """Let a deployed entry learn new data; what comes of it is promoted if no task falls by more than `margin` points.

    The options are those of `tianti update`.

    >>> tianti.update("nano:llama · lora", "new.jsonl", task="nano/sentiment").promoted

    Raises:
        InputError: entry, data, task, strategy or method cannot be used, or the data holds test samples.
        IncompatibleError: they do not fit together.
    """
    lesson = Lesson(
        entry,
        None if data is None else Path(data),
        task,
        strategy,
        method,
        UpdateRules(margin, by, must_learn),
        allow_overlap,
        device,
    )
    with open_store(store) as opened:
        return learn_on(opened, lesson, progress or Silent())


def deployed(entry: str, store: str | Path = DEFAULT_STORE) -> Version:
    """The version of an entry that answers now: for each of its tasks the runs whose models `load_adapted` gives.

    Raises:
        UnknownNameError: the board has no such entry.
        IncompatibleError: it is a row that cannot be deployed.
    """
    with open_store(store) as opened:
        return find_deployed(opened, entry)


def _board_unless_nothing_was_measured(result: StudyResult) -> Board:
    reasons = [outcome.reason for outcome in result.outcomes if outcome.state in ("refused", "failed")]
    if nothing_fits([(outcome.trial, outcome.state in ("refused", "failed")) for outcome in result.outcomes]):
        raise InputError(f"nothing could be measured: {reasons[0]}")
    return result.board


def _as_study(study: object) -> Study:
    match study:
        case Study():
            return study
        case str() | Path():
            return read_study(Path(study))
        case Mapping():
            return checked_study(study)
    raise InputError(f"study: expected a file, a mapping with its keys or a Study, got {study!r:.60}")


def _many(values: object) -> object:
    """A list of what is many; what is one, or is wrong, is the study's to take or to refuse."""
    return list(values) if isinstance(values, Iterable) and not isinstance(values, str) else values


def _names(values: str | Iterable[str]) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


def _study_name(reference: str) -> str:
    return "".join(character if character.isalnum() or character in ".-_" else "-" for character in reference)
