"""What Alembic runs to bring a store up to date; `database.py` gives the connection and its transaction."""

from __future__ import annotations

from alembic import context

from tianti.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by making a new one and copying.
    render_as_batch=True,
)
context.run_migrations()
