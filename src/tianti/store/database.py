"""The database file: how it is opened, and how it is brought up to the newest tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text

from tianti.core.exceptions import StoreError

BUSY_MILLISECONDS = 30_000
WRITES = "tianti_writes"
NEWEST = "0004"
"""The revision of the newest migration. Known without Alembic, whose import is a twelfth of a command's start."""


def open_database(path: Path) -> Engine:
    """An engine on the SQLite file at `path`, whose tables are up to date; made where there is none.

    Connections with the execution option `WRITES` begin their transactions as writers.

    Raises:
        StoreError: the file was written by a newer version, or its disk cannot hold a write-ahead log.
        sqlite3.Error, sqlalchemy.exc.DBAPIError: the database complains.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", lambda connection, _record: _set_up_sqlite(connection, path))
    event.listen(engine, "begin", _begin_sqlite)
    try:
        _upgrade(engine, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, path: Path) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            f"{path}: SQLite cannot keep a write-ahead log here (its journal mode is {mode})",
            remedy="keep the store on a local disk, not on a network share",
        )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail with "locked" at once, whatever the timeout;
    # one that begins as a writer waits for its turn.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(engine: Engine, path: Path) -> None:
    with engine.connect() as connection:
        found = inspect(connection).has_table("alembic_version")
        revision = connection.scalar(text("SELECT version_num FROM alembic_version")) if found else None
    if revision == NEWEST:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "tianti.store:migrations")
    known: set[Any] = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"{path}: its tables have the unknown revision {revision!r}: a newer tianti wrote it",
            remedy="pip install --upgrade tianti, or use another folder",
        )
    # In one writing transaction: of several processes one upgrades, the others then find nothing left to do.
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
