"""Disk full, locked, forbidden, damaged: a clear error, and what was acknowledged is kept."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from tianti.core.exceptions import StoreError
from tianti.store import Store
from tianti.store.errors import explained


def pragma(store: Store, text: str) -> int:
    """Set something on the one connection that the store uses in this thread."""
    with store._engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {text}").scalar()


def test_a_full_disk_keeps_what_was_acknowledged(store, make, trial):
    run = store.start_run(trial, {}, {})
    pragma(store, f"max_page_count={pragma(store, 'page_count') + 8}")
    acknowledged: list[int] = []

    def append_until_full() -> None:
        for number in range(1000):
            store.append(run.run_id, [make.answer(number, prompt="long " * 200)])
            acknowledged.append(number)

    with pytest.raises(
        StoreError, match=r"cannot store answers: the disk is full\n.*free some space"
    ) as caught:
        append_until_full()
    assert str(store.folder) in str(caught.value)
    assert 0 < len(acknowledged) < 1000
    assert [answer.position for answer in store.answers(run.run_id)] == acknowledged
    with Store(store.folder) as other:
        assert other.run(run.run_id).answers_count == len(acknowledged)

    pragma(store, "max_page_count=100000")
    store.append(run.run_id, [make.answer(len(acknowledged))])
    assert store.finish_run(run.run_id, [], {}, len(acknowledged) + 1).state == "finished"


@pytest.mark.parametrize("refused", ["fsync", "rename"])
def test_a_disk_that_fills_up_while_sealing_leaves_the_run_as_it_was(
    store, make, trial, monkeypatch, refused
):
    run = store.start_run(trial, {}, {})
    store.append(run.run_id, make.answers(3))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if refused == "fsync" else (Path, "replace")), refuse)
        with pytest.raises(StoreError, match="the disk is full"):
            store.finish_run(run.run_id, [make.score()], {}, 3)
    assert not list((store.folder / "parts").iterdir())
    assert store.run(run.run_id).state == "running"
    assert store.scores(run.run_id) == []
    assert store.finish_run(run.run_id, [make.score()], {}, 3).state == "finished"
    assert store.answers(run.run_id) == make.answers(3)


def test_a_store_that_another_process_holds(store, trial):
    pragma(store, "busy_timeout=10")
    holder = sqlite3.connect(store.folder / "tianti.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"cannot start a run: another process has been writing"):
        store.start_run(trial, {}, {})
    assert store.runs() == []
    holder.execute("ROLLBACK")
    holder.close()
    store.start_run(trial, {}, {})


def test_a_store_that_may_not_be_written(store, trial):
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=1")
    with pytest.raises(StoreError, match=r"it may not be written\n.*use another folder"):
        store.start_run(trial, {}, {})


def test_a_folder_that_may_not_be_written_leads_to_another(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="cannot open the store: it may not be written") as caught:
        Store(tmp_path / "results")
    assert "--store DIR" in caught.value.remedy


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError, match="cannot open the store: a file is in the way"):
            Store(folder)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "tianti.sqlite").write_bytes(b"precious notes, but no database " * 100)
    with pytest.raises(StoreError, match=r"the database is damaged\n.*put a copy of it back"):
        Store(tmp_path)
    assert (tmp_path / "tianti.sqlite").read_bytes().startswith(b"precious")


def test_a_damaged_database(tmp_path, make, trial):
    with Store(tmp_path) as store:
        run = store.start_run(trial, {}, {})
        store.append(run.run_id, [make.answer(number, prompt="text " * 500) for number in range(50)])
    path = tmp_path / "tianti.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) // 2))
    with pytest.raises(StoreError, match="the database is damaged"), Store(tmp_path) as store:
        store.answers(run.run_id)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EFBIG, "File too large"), "size limit of this process"),
        (OSError(errno.ENOENT, "No such file or directory"), "no such folder, and none can be made"),
        (OSError(errno.EROFS, "Read-only file system"), "may not be written"),
        (OSError(errno.EIO, "Input/output error"), "the disk refused"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (sqlite3.OperationalError("disk I/O error"), "the disk refused"),
        (sqlite3.OperationalError(""), "OperationalError"),
    ],
)
def test_each_error_is_explained(error, message):
    with pytest.raises(StoreError, match=message) as caught, explained(Path("here"), "write"):
        raise error
    assert caught.value.message.startswith("here: cannot write: ")
    assert caught.value.remedy
    assert caught.value.__cause__ is error


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), explained(Path("here"), "write"):
        raise ZeroDivisionError
