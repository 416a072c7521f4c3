"""Files of other programs' results, and the sealed tables made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "imported",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("imported_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name="pk_imported"),
    )
    op.create_index("ix_imported_file", "imported", ["study", "sha256"], unique=True)
    op.create_table(
        "imported_part",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "name", name="pk_imported_part"),
        sa.ForeignKeyConstraint(["import_id"], ["imported.import_id"], name="fk_imported_part_import_id"),
    )
