"""Versions of entries that are deployed, and which of them is current."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "version",
        sa.Column("entry", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("entry", "number", name="pk_version"),
        sa.CheckConstraint("state IN ('promoted', 'refused')", name="state"),
    )
    op.create_table(
        "deployment",
        sa.Column("entry", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("deployed_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("entry", "number", name="pk_deployment"),
        sa.ForeignKeyConstraint(
            ["entry", "version"], ["version.entry", "version.number"], name="fk_deployment_entry"
        ),
    )
