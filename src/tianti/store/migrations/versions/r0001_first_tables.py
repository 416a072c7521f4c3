"""The first tables: runs with their attempts, answers and scores, and studies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_runs()
    _create_answers()
    _create_scores()
    _create_studies()


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", sa.String(12), nullable=False),
        sa.Column("trial_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("cost", sa.Text, nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answers_count", sa.Integer, nullable=False),
        sa.Column("errors_count", sa.Integer, nullable=False),
        sa.Column("skipped_count", sa.Integer, nullable=False),
        sa.Column("supersedes", sa.String(12)),
        sa.PrimaryKeyConstraint("run_id", name="pk_run"),
        sa.ForeignKeyConstraint(["supersedes"], ["run.run_id"], name="fk_run_supersedes"),
        sa.CheckConstraint("state IN ('running', 'finished', 'failed')", name=op.f("ck_run_state")),
    )
    op.create_index("ix_run_trial_id", "run", ["trial_id"])
    unfinished = sa.text("state <> 'finished'")
    op.create_index(
        "ix_run_unfinished",
        "run",
        ["trial_id"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "attempt",
        sa.Column("run_id", sa.String(12), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_attempt"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_attempt_run_id"),
    )


def _create_answers() -> None:
    op.create_table(
        "staging",
        sa.Column("run_id", sa.String(12), nullable=False),
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "sample_id", "repeat", name="pk_staging"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_staging_run_id"),
    )
    op.create_table(
        "part",
        sa.Column("run_id", sa.String(12), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_part"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_part_run_id"),
    )
    op.create_index("ix_part_sha256", "part", ["sha256"])


def _create_scores() -> None:
    op.create_table(
        "score",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("run_id", sa.String(12), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("supersedes", sa.Integer),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("clusters", sa.Integer),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
        sa.Column("chance", sa.Float),
        sa.Column("higher_is_better", sa.Boolean, nullable=False),
        sa.Column("scale", sa.Text, nullable=False),
        sa.Column("main", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("score_id", name="pk_score"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_score_run_id"),
        sa.ForeignKeyConstraint(["supersedes"], ["score.score_id"], name="fk_score_supersedes"),
    )
    op.create_index("ix_score_run_id", "score", ["run_id"])


def _create_studies() -> None:
    op.create_table(
        "study",
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("study_id", name="pk_study"),
    )
    op.create_index("ix_study_name", "study", ["name"])
    op.create_table(
        "study_trial",
        sa.Column("study_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("trial_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("study_id", "position", name="pk_study_trial"),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"], name="fk_study_trial_study_id"),
    )
    op.create_index("ix_study_trial_trial_id", "study_trial", ["trial_id"])
