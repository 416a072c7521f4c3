from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from tianti.core.exceptions import StoreError
from tianti.store import Store, tables
from tianti.store.database import NEWEST, open_database


def test_the_migrations_make_exactly_the_tables(store):
    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        found = inspect(connection)
        for table in tables.metadata.sorted_tables:
            checks = {check["name"] for check in found.get_check_constraints(table.name)}
            wanted = {c.name for c in table.constraints if c.__visit_name__.endswith("check_constraint")}
            assert checks == wanted
            assert found.get_pk_constraint(table.name)["name"] == table.primary_key.name
            keys = {(key["name"], key["referred_table"]) for key in found.get_foreign_keys(table.name)}
            assert keys == {(key.name, key.referred_table.name) for key in table.foreign_key_constraints}
            partial = {i["name"]: bool(i["dialect_options"]) for i in found.get_indexes(table.name)}
            assert partial == {i.name: i.name == "ix_run_unfinished" for i in table.indexes}


def test_every_connection_is_safe(store):
    for engine in (store._engine, store._writer):
        with engine.connect() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            }
        assert settings == {
            "journal_mode": "wal",
            "synchronous": 2,
            "busy_timeout": 30_000,
            "foreign_keys": 1,
        }


def test_a_disk_that_cannot_hold_a_write_ahead_log_is_refused(monkeypatch):
    connect = sqlite3.connect
    # A database in memory has no such log, as one on some network shares.
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda path, **settings: connect(":memory:", **settings))
    with pytest.raises(StoreError, match=r"share/tianti.sqlite: (.|\n)*its journal mode is memory"):
        open_database(Path("share/tianti.sqlite"))


def test_writers_begin_as_writers_and_readers_do_not_wait_for_them(store, make, trial):
    run = store.start_run(trial, {}, {})
    with store._write("write"), Store(store.folder) as other:
        assert other.find_run(trial) == run
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(store.folder / "tianti.sqlite", timeout=0).execute("BEGIN IMMEDIATE")


def test_a_transaction_that_raises_leaves_nothing(store):
    def interrupted() -> None:
        with store._write("write") as connection:
            connection.exec_driver_sql("INSERT INTO study (name, text, recorded_at) VALUES ('a', '', '')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.studies() == []


def test_an_unknown_revision_is_from_a_newer_version(tmp_path):
    Store(tmp_path).close()
    path = tmp_path / "tianti.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(
        StoreError, match=r"unknown revision '9999': a newer tianti(.|\n)*pip install --upgrade"
    ):
        Store(tmp_path)


def test_the_newest_revision_is_that_of_the_last_migration():
    config = Config()
    config.set_main_option("script_location", "tianti.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


def test_an_old_database_is_upgraded(tmp_path):
    Store(tmp_path).close()
    path = tmp_path / "tianti.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "DROP TABLE imported_part; DROP TABLE imported; UPDATE alembic_version SET version_num = '0003'"
        )
    with Store(tmp_path) as store:
        assert store.imports() == []


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path):
    Store(tmp_path).close()
    script = (
        "import sys; from pathlib import Path; from tianti.store import Store; "
        "Store(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_an_empty_database_is_filled(tmp_path):
    path = tmp_path / "100% new"
    path.touch()
    open_database(path).dispose()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]


def test_the_tables_can_be_made_in_postgresql():
    dialect = postgresql.dialect()
    ddl = [str(CreateTable(table).compile(dialect=dialect)) for table in tables.metadata.sorted_tables]
    ddl += [
        str(CreateIndex(i).compile(dialect=dialect)) for t in tables.metadata.sorted_tables for i in t.indexes
    ]
    assert sum("SERIAL" in text for text in ddl) == 3
    assert any(
        "UNIQUE INDEX ix_run_unfinished" in text and "WHERE state <> 'finished'" in text for text in ddl
    )
