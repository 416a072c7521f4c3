"""Why answers were given: what `tianti explain` found, beside the sealed answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "explanation",
        sa.Column("run_id", sa.String(12), nullable=False),
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("explanation", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "sample_id", "repeat", name="pk_explanation"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name="fk_explanation_run_id"),
    )
