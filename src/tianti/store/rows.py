"""Rows of the tables to records and back; each function works inside the caller's transaction."""

from __future__ import annotations

import json
import math
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from tianti.core.exceptions import StoreError
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import tables
from tianti.store.parts import Part
from tianti.store.records import Attempt, Run, StudyRecord

_SCORE_FIELDS = tuple(field.name for field in fields(Score))


def start_run(connection: Connection, trial_id: str, manifest: str, environment: str, now: str) -> str:
    """Take up the unfinished run of a trial, or make a new one; the id of the run."""
    run = tables.run
    unfinished = select(run.c.run_id, run.c.attempts).where(run.c.trial_id == trial_id, tables.UNFINISHED)
    found = connection.execute(unfinished).first()
    if found is None:
        run_id, number = uuid.uuid4().hex[:12], 1
        connection.execute(insert(run).values(_new_run(run_id, trial_id, manifest, now)))
    else:
        run_id, number = found.run_id, found.attempts + 1
        again = {"state": "running", "reason": "", "finished_at": None, "attempts": number}
        connection.execute(update(run).where(run.c.run_id == run_id).values(again))
    attempt = {"run_id": run_id, "number": number, "started_at": now, "environment": environment}
    connection.execute(insert(tables.attempt).values(attempt))
    return run_id


def change_running(
    connection: Connection,
    folder: Path,
    run_id: str,
    values: Mapping[str, Any],
    *only_if: ColumnElement[bool],
) -> None:
    """Change a run that is running, and hold its row until the transaction ends; `folder` is the store's, for errors.

    Raises:
        StoreError: the run is not running, or is not as `only_if` says.
    """
    this = (tables.run.c.run_id == run_id) & (tables.run.c.state == "running")
    if connection.execute(update(tables.run).where(this, *only_if).values(values)).rowcount != 1:
        state = connection.scalar(select(tables.run.c.state).where(tables.run.c.run_id == run_id))
        found = {None: "is not in this store", "running": "was changed by another process"}
        raise StoreError(
            f"{folder}: run {run_id} {found.get(state, f'is {state}, not running')}",
            remedy="start the trial again",
        )


def select_runs(connection: Connection, *where: ColumnElement[bool]) -> list[Run]:
    """The runs that meet the conditions, ordered by their start."""
    run, attempt = tables.run, tables.attempt
    newest = and_(attempt.c.run_id == run.c.run_id, attempt.c.number == run.c.attempts)
    query = select(run, attempt.c.environment).join(attempt, newest).where(*where)
    found = connection.execute(query.order_by(run.c.started_at, run.c.run_id)).mappings()
    return [
        Run(**{**row, **{name: json.loads(row[name]) for name in ("manifest", "environment", "cost")}})
        for row in found
    ]


def select_attempts(connection: Connection, run_id: str) -> list[Attempt]:
    """The attempts of a run, oldest first."""
    columns = tables.attempt.c
    found = connection.execute(
        select(tables.attempt).where(columns.run_id == run_id).order_by(columns.number)
    )
    return [Attempt(row.number, row.started_at, json.loads(row.environment)) for row in found]


def standing_finished(connection: Connection, run_id: str) -> str | None:
    """The finished run of the same trial that no other run supersedes, or None."""
    run = tables.run
    trial = select(run.c.trial_id).where(run.c.run_id == run_id).scalar_subquery()
    superseded = select(run.c.supersedes).where(run.c.supersedes.is_not(None))
    query = select(run.c.run_id).where(
        run.c.trial_id == trial, run.c.state == "finished", run.c.run_id.not_in(superseded)
    )
    return connection.scalar(query)


def insert_answers(
    connection: Connection, folder: Path, run_id: str, answers: Sequence[Answer], texts: Sequence[str]
) -> None:
    """Stage answers, as they stand in `texts`, and count them; the errors are those of `change_running`."""
    states = Counter(answer.state for answer in answers)
    run = tables.run.c
    counts = {
        "answers_count": run.answers_count + len(answers),
        "errors_count": run.errors_count + states["error"],
        "skipped_count": run.skipped_count + states["skipped"],
    }
    change_running(connection, folder, run_id, counts)
    new = [
        {
            "run_id": run_id,
            "sample_id": answer.sample_id,
            "repeat": answer.repeat,
            "position": answer.position,
            "answer": text,
        }
        for answer, text in zip(answers, texts, strict=True)
    ]
    connection.execute(insert(tables.staging), new)


def select_answered(connection: Connection, run_id: str) -> set[tuple[str, int]]:
    """Sample and repeat of the staged answers of a run."""
    columns = tables.staging.c
    found = connection.execute(select(columns.sample_id, columns.repeat).where(columns.run_id == run_id))
    return {(row.sample_id, row.repeat) for row in found}


def select_answers(connection: Connection, run_id: str) -> list[str]:
    """The texts of the staged answers of a run, ordered by position and repeat."""
    columns = tables.staging.c
    query = select(columns.answer).where(columns.run_id == run_id)
    return list(connection.scalars(query.order_by(columns.position, columns.repeat, columns.sample_id)))


def seal_answers(connection: Connection, run_id: str, part: Part) -> None:
    """Record the file that holds the answers of a run, in place of its staged ones."""
    connection.execute(insert(tables.part).values({"run_id": run_id, "number": 0, **asdict(part)}))
    connection.execute(delete(tables.staging).where(tables.staging.c.run_id == run_id))


def select_parts(connection: Connection, run_id: str) -> list[Part]:
    """The sealed files of a run, in their order."""
    columns = tables.part.c
    found = connection.execute(select(tables.part).where(columns.run_id == run_id).order_by(columns.number))
    return [Part(row.sha256, row.rows, row.uri) for row in found]


def insert_scores(connection: Connection, run_id: str, scores: Sequence[Score], created_at: str) -> None:
    """Add scores; each supersedes the newest one of its metric.

    Raises:
        StoreError: two of them have the same metric, or a number is NaN or infinite.
    """
    before = _newest_scores(connection, run_id)
    seen: set[str] = set()
    for score in scores:
        if score.metric in seen:
            raise StoreError(
                f"run {run_id} has two scores for {score.metric!r}", remedy="give each metric once"
            )
        seen.add(score.metric)
        for name in ("value", "low", "high", "level", "chance"):
            number = getattr(score, name)
            if number is not None and not math.isfinite(number):
                raise StoreError(
                    f"run {run_id}: {name} of the score {score.metric!r} is {number}",
                    remedy="leave out (None) what has no value; it is shown as missing",
                )
        row = {"run_id": run_id, "created_at": created_at, "supersedes": before.get(score.metric)}
        connection.execute(insert(tables.score).values(row | asdict(score)))


def select_scores(connection: Connection, run_id: str) -> list[Score]:
    """The newest score of each metric, in the order they were recorded."""
    newest = _newest_scores(connection, run_id).values()
    columns = [tables.score.c[name] for name in _SCORE_FIELDS]
    query = select(*columns).where(tables.score.c.score_id.in_(newest)).order_by(tables.score.c.score_id)
    return [Score(**row) for row in connection.execute(query).mappings()]


def put_explanation(
    connection: Connection, run_id: str, sample_id: str, repeat: int, explanation: str
) -> None:
    """Keep why an answer was given; what was kept before gives way."""
    columns = tables.explanation.c
    this = (columns.run_id == run_id) & (columns.sample_id == sample_id) & (columns.repeat == repeat)
    connection.execute(delete(tables.explanation).where(this))
    values = {"run_id": run_id, "sample_id": sample_id, "repeat": repeat, "explanation": explanation}
    connection.execute(insert(tables.explanation).values(values))


def select_explanations(connection: Connection, run_id: str) -> dict[tuple[str, int], dict[str, Any]]:
    """Why the answers of a run were given, by sample and repeat."""
    found = connection.execute(select(tables.explanation).where(tables.explanation.c.run_id == run_id))
    return {(row.sample_id, row.repeat): json.loads(row.explanation) for row in found}


def newest_studies(connection: Connection) -> dict[str, int]:
    """The newest record of each study: name to number."""
    columns = tables.study.c
    found = connection.execute(select(columns.name, func.max(columns.study_id)).group_by(columns.name))
    return {row.name: row[1] for row in found}


def select_study(connection: Connection, number: int) -> StudyRecord:
    """One record of a study."""
    study, trials = tables.study, tables.study_trial
    row = connection.execute(select(study).where(study.c.study_id == number)).one()
    ids = connection.scalars(
        select(trials.c.trial_id).where(trials.c.study_id == number).order_by(trials.c.position)
    )
    return StudyRecord(row.name, tuple(ids), row.text, row.recorded_at)


def insert_study(connection: Connection, record: StudyRecord) -> None:
    """Add a record of a study, unless its newest one says the same."""
    newest = newest_studies(connection).get(record.name)
    if (
        newest is not None
        and replace(select_study(connection, newest), recorded_at=record.recorded_at) == record
    ):
        return
    values = {"name": record.name, "text": record.text, "recorded_at": record.recorded_at}
    number = connection.scalar(insert(tables.study).values(values).returning(tables.study.c.study_id))
    trials = [
        {"study_id": number, "position": position, "trial_id": trial_id}
        for position, trial_id in enumerate(record.trial_ids)
    ]
    if trials:
        connection.execute(insert(tables.study_trial), trials)


def select_state(connection: Connection) -> list[Any]:
    """What changes when there is something new to look at: runs by their states, and the newest of all else."""
    run = tables.run.c
    by_state = select(run.state, func.count(), func.max(run.finished_at), func.sum(run.attempts))
    newest = [
        func.max(tables.score.c.score_id),
        func.max(tables.study.c.study_id),
        func.max(tables.imported.c.import_id),
        func.count(tables.explanation.c.run_id),
        func.count(tables.version.c.number),
    ]
    runs = connection.execute(by_state.group_by(run.state).order_by(run.state))
    return [*map(tuple, runs), *(connection.scalar(select(each)) for each in newest)]


def _newest_scores(connection: Connection, run_id: str) -> dict[str, int]:
    columns = tables.score.c
    query = select(columns.metric, func.max(columns.score_id)).where(columns.run_id == run_id)
    return {row.metric: row[1] for row in connection.execute(query.group_by(columns.metric))}


def _new_run(run_id: str, trial_id: str, manifest: str, started_at: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "trial_id": trial_id,
        "state": "running",
        "reason": "",
        "manifest": manifest,
        "cost": "{}",
        "started_at": started_at,
        "attempts": 1,
        "answers_count": 0,
        "errors_count": 0,
        "skipped_count": 0,
    }
