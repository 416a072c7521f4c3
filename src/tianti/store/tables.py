"""The tables, in SQLAlchemy Core, the same for SQLite and PostgreSQL.

    run ──< attempt          one row per start of the run
     ├──< staging            answers of an unfinished run, in the order they came
     ├──< part               sealed answers: where the Parquet file lies, and its digest
     └──< score              append-only; a newer score names the one it supersedes
    study ──< study_trial    append-only; the newest record of a name counts
    version ──< deployment   append-only; the newest deployment of an entry says which version is current
    imported ──< imported_part    files of other programs' results, and the sealed tables made of them

JSON is kept as text, so that it comes back byte for byte on every database. A change here needs a new
revision in `migrations/versions/`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    # SQLite can only change a constraint that has a name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

run = Table(
    "run",
    metadata,
    Column("run_id", String(12), primary_key=True),
    Column("trial_id", String(64), nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("cost", Text, nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("attempts", Integer, nullable=False),
    Column("answers_count", Integer, nullable=False),
    Column("errors_count", Integer, nullable=False),
    Column("skipped_count", Integer, nullable=False),
    Column("supersedes", ForeignKey("run.run_id")),
    CheckConstraint("state IN ('running', 'finished', 'failed')", name="state"),
)

UNFINISHED = text("state <> 'finished'")
# Two processes that start the same trial at the same moment must not make two runs of it.
Index("ix_run_unfinished", run.c.trial_id, unique=True, sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)

attempt = Table(
    "attempt",
    metadata,
    Column("run_id", ForeignKey("run.run_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", String(32), nullable=False),
    Column("environment", Text, nullable=False),
)

staging = Table(
    "staging",
    metadata,
    Column("run_id", ForeignKey("run.run_id"), primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("answer", Text, nullable=False),
)

part = Table(
    "part",
    metadata,
    Column("run_id", ForeignKey("run.run_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("rows", Integer, nullable=False),
    Column("uri", Text, nullable=False),
)

explanation = Table(
    "explanation",
    metadata,
    Column("run_id", ForeignKey("run.run_id"), primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("explanation", Text, nullable=False),
)

score = Table(
    "score",
    metadata,
    Column("score_id", Integer, primary_key=True),
    Column("run_id", ForeignKey("run.run_id"), nullable=False, index=True),
    Column("created_at", String(32), nullable=False),
    Column("supersedes", ForeignKey("score.score_id")),
    Column("metric", Text, nullable=False),
    Column("value", Float),
    Column("low", Float),
    Column("high", Float),
    Column("level", Float, nullable=False),
    Column("method", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("clusters", Integer),
    Column("target", Text, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("chance", Float),
    Column("higher_is_better", Boolean, nullable=False),
    Column("scale", Text, nullable=False),
    Column("main", Boolean, nullable=False),
)

study = Table(
    "study",
    metadata,
    Column("study_id", Integer, primary_key=True),
    Column("name", Text, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("recorded_at", String(32), nullable=False),
)

study_trial = Table(
    "study_trial",
    metadata,
    Column("study_id", ForeignKey("study.study_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("trial_id", String(64), nullable=False, index=True),
)

version = Table(
    "version",
    metadata,
    Column("entry", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    CheckConstraint("state IN ('promoted', 'refused')", name="state"),
)

deployment = Table(
    "deployment",
    metadata,
    Column("entry", String(64), primary_key=True),
    # Of two processes that deploy at the same moment one fails on this key.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("deployed_at", String(32), nullable=False),
    ForeignKeyConstraint(["entry", "version"], ["version.entry", "version.number"]),
)

imported = Table(
    "imported",
    metadata,
    Column("import_id", Integer, primary_key=True),
    Column("study", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("facts", Text, nullable=False),
    Column("imported_at", String(32), nullable=False),
)
# Two processes that import the same file at the same moment must not do it twice.
Index("ix_imported_file", imported.c.study, imported.c.sha256, unique=True)

imported_part = Table(
    "imported_part",
    metadata,
    Column("import_id", ForeignKey("imported.import_id"), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("uri", Text, nullable=False),
)
