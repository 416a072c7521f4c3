"""The store: a folder with a database, the sealed answers and the adapted models of its runs.

folder/tianti.sqlite    runs, scores, studies, and the answers of runs that are not finished
folder/parts/           one Parquet file per finished run, named by its sha256
folder/adapted/         what training made, one folder for all trials that take the same
folder/updates/         the data that deployed entries have learned since, as task files
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from tianti.core.exceptions import StoreError, UnknownNameError
from tianti.core.failpoints import failpoint
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import rows, tables
from tianti.store.codec import answer_from_text, answer_to_text, to_text
from tianti.store.database import WRITES, open_database
from tianti.store.deployments import Deployments
from tianti.store.errors import explained
from tianti.store.imports import (
    ImportRecord,
    NewImport,
    insert_import,
    read_sealed,
    select_imports,
    table_bytes,
)
from tianti.store.parts import draft_file, draft_part, old_files, read_part
from tianti.store.records import Attempt, Run, StudyRecord

UPDATES = "updates"
"""The folder of the data that deployed entries have learned."""


class Store:
    """Runs on disk. Whatever a method has returned from survives a crash of the process or the machine.

    Several processes may use one store at once, on one host and a local disk; each run has one writer.

    Every method raises `StoreError` when the disk or the database refuses, with the reason and a remedy.
    """

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`, making it where there is none and bringing its tables up to date."""
        self.folder = folder
        self._parts = folder / "parts"
        with explained(folder, "open the store"):
            self._parts.mkdir(parents=True, exist_ok=True)
            (folder / "adapted").mkdir(exist_ok=True)
            self._engine = open_database(folder / "tianti.sqlite")
        self._writer = self._engine.execution_options(**{WRITES: True})
        self.deployments = Deployments(self._read, self._write)
        self._collect_orphans()

    def close(self) -> None:
        """Let go of the database file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Runs

    def run(self, run_id: str) -> Run:
        """The run of this id.

        Raises:
            UnknownNameError: there is none.
        """
        with self._read("read a run") as connection:
            found = rows.select_runs(connection, tables.run.c.run_id == run_id)
            if not found:
                raise UnknownNameError(
                    "run", run_id, connection.scalars(select(tables.run.c.run_id)), where=str(self.folder)
                )
        return found[0]

    def runs(self, study: str | None = None) -> list[Run]:
        """All runs in every state, ordered by their start; with `study`, those of its newest record (of a study that
        was imported, none).

        Raises:
            UnknownNameError: no study of this name was recorded.
        """
        with self._read("read the runs") as connection:
            if study is None:
                return rows.select_runs(connection)
            newest = rows.newest_studies(connection)
            if study not in newest:
                imported = {record.study for record in select_imports(connection)}
                if study in imported:
                    return []
                raise UnknownNameError("study", study, {*newest, *imported}, where=str(self.folder))
            trials = select(tables.study_trial.c.trial_id).where(
                tables.study_trial.c.study_id == newest[study]
            )
            return rows.select_runs(connection, tables.run.c.trial_id.in_(trials))

    def find_run(self, trial_id: str) -> Run | None:
        """The run that stands for a trial: the newest finished one, else the unfinished one."""
        with self._read("look for a run") as connection:
            found = rows.select_runs(connection, tables.run.c.trial_id == trial_id)
        superseded = {run.supersedes for run in found}
        standing = [run for run in found if run.run_id not in superseded]
        return next((run for run in standing if run.state == "finished"), standing[0] if standing else None)

    def start_run(self, trial_id: str, manifest: Mapping[str, Any], environment: Mapping[str, Any]) -> Run:
        """A new run of a trial; or its unfinished one, resumed with the answers that it has."""
        environment_text = to_text(environment, "the environment")
        manifest_text = to_text(manifest, "the manifest")
        with self._write("start a run") as connection:
            run_id = rows.start_run(connection, trial_id, manifest_text, environment_text, _now())
        return self.run(run_id)

    def fail_run(self, run_id: str, reason: str) -> Run:
        """Give up a running run for now; its answers are kept, and `start_run` takes it up again."""
        with self._write("record a failure") as connection:
            rows.change_running(
                connection, self.folder, run_id, {"state": "failed", "reason": reason, "finished_at": _now()}
            )
        return self.run(run_id)

    def attempts(self, run_id: str) -> list[Attempt]:
        """Every start of a run with the environment it had, oldest first."""
        with self._read("read attempts") as connection:
            return rows.select_attempts(connection, run_id)

    # Answers

    def append(self, run_id: str, answers: Sequence[Answer]) -> None:
        """Add answers to a running run, all of them or none.

        Raises:
            StoreError: the run is not running, or one of the answers (sample and repeat) is there already.
        """
        if not answers:
            return
        texts = [answer_to_text(answer) for answer in answers]
        try:
            with self._write("store answers") as connection:
                rows.insert_answers(connection, self.folder, run_id, answers, texts)
                failpoint("before_append_commit")
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise self._doubled(run_id, answers) from error
            raise
        failpoint("after_append")

    def answered(self, run_id: str) -> set[tuple[str, int]]:
        """Sample and repeat of every answer that is durable."""
        with self._read("read which samples are answered") as connection:
            staged = rows.select_answered(connection, run_id)
        return staged or {(answer.sample_id, answer.repeat) for answer in self.answers(run_id)}

    def answers(self, run_id: str) -> list[Answer]:
        """The answers of a run, ordered by position and repeat.

        Raises:
            StoreError: the file that holds them is gone or was changed since it was sealed.
        """
        with self._read("read answers") as connection:
            parts = rows.select_parts(connection, run_id)
            staged = rows.select_answers(connection, run_id)
        with explained(self._parts, "read answers"):
            sealed = [answer for part in parts for answer in read_part(self.folder, part)]
        return sealed + [answer_from_text(text) for text in staged]

    def finish_run(self, run_id: str, scores: Sequence[Score], cost: Mapping[str, Any], expected: int) -> Run:
        """Seal a running run: its answers become one immutable file, its scores are recorded, it is finished.

        Raises:
            StoreError: it does not have `expected` answers, or two scores have the same metric.
        """
        answers = self.answers(run_id)
        if len(answers) != expected:
            raise StoreError(
                f"{self.folder}: cannot finish run {run_id}: it has {len(answers)} of {expected} answers",
                remedy="start the trial again: it asks what is missing",
            )
        cost_text = to_text(cost, "the cost")
        with (
            explained(self._parts, "seal answers"),
            draft_part(self._parts, answers) as draft,
            self._write("finish a run") as connection,
        ):
            before = rows.standing_finished(connection, run_id)
            rows.change_running(
                connection,
                self.folder,
                run_id,
                {"state": "finished", "finished_at": _now(), "cost": cost_text, "supersedes": before},
                tables.run.c.answers_count == len(answers),
            )
            # Within the transaction, so that no other process takes the file for an orphan.
            rows.seal_answers(connection, run_id, draft.place())
            rows.insert_scores(connection, run_id, scores, _now())
            failpoint("before_finish_commit")
        failpoint("after_finish")
        return self.run(run_id)

    def state(self) -> str:
        """A text that is another one when a run was started, failed or finished, or a score, a study, an import, an
        explanation or a version was added; in a moment, however much there is. Answers that come in change nothing."""
        with self._read("look for changes") as connection:
            return repr(rows.select_state(connection))

    # Scores

    def add_scores(self, run_id: str, scores: Sequence[Score]) -> None:
        """Record newer scores of a finished run; the older ones are kept, and superseded.

        Raises:
            StoreError: the run is not finished.
        """
        with self._write("add scores") as connection:
            found = rows.select_runs(connection, tables.run.c.run_id == run_id)
            if not found or found[0].state != "finished":
                raise StoreError(f"{self.folder}: run {run_id} is not finished", remedy="finish it first")
            rows.insert_scores(connection, run_id, scores, _now())

    def scores(self, run_id: str) -> list[Score]:
        """The newest score of each metric, in the order they were recorded."""
        with self._read("read scores") as connection:
            return rows.select_scores(connection, run_id)

    # Explanations

    def put_explanation(
        self, run_id: str, sample_id: str, repeat: int, explanation: Mapping[str, Any]
    ) -> None:
        """Keep why an answer was given, beside the sealed answer; what was kept before gives way."""
        text = to_text(explanation, f"the explanation of sample {sample_id!r}")
        with self._write("keep an explanation") as connection:
            rows.put_explanation(connection, run_id, sample_id, repeat, text)

    def explanations(self, run_id: str) -> dict[tuple[str, int], dict[str, Any]]:
        """Why the answers of a run were given, by sample and repeat; those that were explained."""
        with self._read("read explanations") as connection:
            return rows.select_explanations(connection, run_id)

    # Other programs' results

    def add_imports(self, new: Sequence[NewImport]) -> list[ImportRecord]:
        """Add what was read from files, all of it or nothing; a file that its study has already is left out.

        Returns what was added.
        """
        with ExitStack() as drafts, explained(self._parts, "import"):
            written = [
                {
                    name: drafts.enter_context(draft_file(self._parts, table_bytes(table), table.num_rows))
                    for name, table in each.tables.items()
                }
                for each in new
            ]
            with self._write("import") as connection:
                known = {(record.study, record.sha256) for record in select_imports(connection)}
                added = set()
                for each, parts in zip(new, written, strict=True):
                    if (each.study, each.sha256) not in known:
                        known.add((each.study, each.sha256))
                        placed = {name: draft.place() for name, draft in parts.items()}
                        added.add(insert_import(connection, each, placed, _now()))
        return [record for record in self.imports() if record.import_id in added]

    def imports(self, study: str | None = None) -> list[ImportRecord]:
        """The files that were imported, in the order in which they came; with `study`, those of it."""
        with self._read("read what was imported") as connection:
            return select_imports(connection, study)

    def imported_table(
        self, record: ImportRecord, name: str, columns: Sequence[str] | None = None
    ) -> pa.Table | None:
        """A table that was made of a file, or some columns of it; None where it made no such table.

        Raises:
            StoreError: the file that holds it is gone or was changed since it was sealed.
        """
        if name not in record.parts:
            return None
        with explained(self._parts, "read what was imported"):
            return read_sealed(self.folder, record.parts[name], columns)

    # Studies and adapted models

    def record_study(self, name: str, trial_ids: Sequence[str], text: str) -> None:
        """Remember what a study asked for; recording the same again changes nothing."""
        with self._write("record a study") as connection:
            rows.insert_study(connection, StudyRecord(name, tuple(trial_ids), text, _now()))

    def studies(self) -> list[StudyRecord]:
        """The newest record of each study, ordered by when it was recorded."""
        with self._read("read the studies") as connection:
            return [
                rows.select_study(connection, number)
                for number in sorted(rows.newest_studies(connection).values())
            ]

    def adapted_folder(self, address: str) -> Path:
        """Where what training made is kept, by the fingerprint of what was learned from what; not made here."""
        return self.folder / "adapted" / address[:16]

    # Within

    @contextmanager
    def _read(self, doing: str) -> Iterator[Connection]:
        """One snapshot of the database."""
        with explained(self.folder, doing), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self, doing: str) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with explained(self.folder, doing), self._writer.begin() as connection:
            yield connection

    def _doubled(self, run_id: str, answers: Sequence[Answer]) -> StoreError:
        seen = self.answered(run_id)
        for answer in answers:
            if (answer.sample_id, answer.repeat) in seen:
                break
            seen.add((answer.sample_id, answer.repeat))
        return StoreError(
            f"{self.folder}: run {run_id} already has answer {answer.repeat} to sample {answer.sample_id!r}",
            remedy="each sample is answered once; is another process running the same trial?",
        )

    def _collect_orphans(self) -> None:
        """Remove files that a crash left behind between writing and recording them."""
        with self._read("tidy up") as connection:
            orphans = self._orphans(connection)
        if orphans:
            with self._write("tidy up") as connection:
                for name in self._orphans(connection):
                    (self._parts / name).unlink(missing_ok=True)

    def _orphans(self, connection: Connection) -> set[str]:
        old = old_files(self._parts)
        if not old:
            return old
        known = [*connection.scalars(select(tables.part.c.uri)), *connection.scalars(_IMPORTED)]
        return old - {Path(uri).name for uri in known}


_IMPORTED = select(tables.imported_part.c.uri)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
