"""Which version of an entry is current: versions and the history of the pointer, both only ever added to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select

from tianti.core.exceptions import StoreError, UnknownNameError
from tianti.core.failpoints import failpoint
from tianti.store import tables
from tianti.store.codec import to_text
from tianti.store.records import DeploymentRecord, VersionRecord

Transaction = Callable[[str], AbstractContextManager[Connection]]
"""What is done, for errors → a transaction."""


class Deployments:
    """The versions of the entries of a store; `read` and `write` are the store's transactions.

    A version and the pointer to it are recorded in one transaction: who looks sees the old version, or the new one.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read, self._write = read, write

    def entries(self) -> dict[str, str]:
        """Every entry that has versions: its key and its name."""
        columns = tables.version.c
        with self._read("read the deployed entries") as connection:
            found = connection.execute(select(columns.entry, columns.name).where(columns.number == 1))
            return {row.entry: row.name for row in found}

    def versions(self, entry: str) -> list[VersionRecord]:
        """The versions of an entry, oldest first; none of one that was never deployed."""
        with self._read("read versions") as connection:
            return _versions(connection, entry)

    def history(self, entry: str) -> list[DeploymentRecord]:
        """Which version was current when, oldest first."""
        columns = tables.deployment.c
        query = select(tables.deployment).where(columns.entry == entry).order_by(columns.number)
        with self._read("read deployments") as connection:
            return [DeploymentRecord(**row) for row in connection.execute(query).mappings()]

    def current(self, entry: str) -> VersionRecord | None:
        """The version that the pointer names; None of an entry that was never deployed."""
        with self._read("read the current version") as connection:
            number = _current(connection, entry)
            return None if number is None else _versions(connection, entry)[number - 1]

    def refused_runs(self) -> frozenset[str]:
        """The runs that only refused versions answer with."""
        runs: dict[str, set[str]] = {"promoted": set(), "refused": set()}
        with self._read("read versions") as connection:
            for state, content in connection.execute(
                select(tables.version.c.state, tables.version.c.content)
            ):
                runs[state].update(run for served in json.loads(content)["served"] for run in served["runs"])
        return frozenset(runs["refused"] - runs["promoted"])

    def begin(self, entry: str, name: str, content: Mapping[str, Any]) -> VersionRecord:
        """Make and deploy version 1; an entry that has one keeps it."""
        text = to_text(content, "the version")
        with self._write("deploy an entry") as connection:
            if not _versions(connection, entry):
                _add(connection, entry, name, "promoted", text)
                _point(connection, entry, 1, "deployed")
            return _versions(connection, entry)[0]

    def promote(self, entry: str, content: Mapping[str, Any], after: int) -> VersionRecord:
        """Add a version, unless it is there, and make it current: in one transaction, if `after` is current still.

        Raises:
            StoreError: another version became current meanwhile.
        """
        text = to_text(content, "the version")
        with self._write("promote a version") as connection:
            before = _current(connection, entry)
            if before != after:
                raise StoreError(
                    f"version {after} was compared with, and version {before} is current now",
                    remedy="run the same command again: it compares with the current version",
                )
            record = _recorded(connection, entry, "promoted", text)
            _point(connection, entry, record.number, "promoted")
            failpoint("before_promotion_commit")
        failpoint("after_promotion")
        return record

    def refuse(self, entry: str, content: Mapping[str, Any]) -> VersionRecord:
        """Record a version that was not promoted; the same is recorded once."""
        text = to_text(content, "the version")
        with self._write("record a refused version") as connection:
            return _recorded(connection, entry, "refused", text)

    def restore(self, entry: str, number: int) -> VersionRecord:
        """Make a version current that was current before; nothing is recorded where it is already.

        Raises:
            UnknownNameError: the entry has no such version.
            StoreError: the version was refused.
        """
        with self._write("restore a version") as connection:
            known = {record.number: record for record in _versions(connection, entry)}
            if number not in known:
                raise UnknownNameError("version", str(number), map(str, known))
            if known[number].state == "refused":
                usable = ", ".join(str(each.number) for each in known.values() if each.state == "promoted")
                raise StoreError(
                    f"version {number} was refused and never current", remedy=f"restore one of {usable}"
                )
            if _current(connection, entry) != number:
                _point(connection, entry, number, "restored")
        return known[number]


def _versions(connection: Connection, entry: str) -> list[VersionRecord]:
    columns = tables.version.c
    query = select(tables.version).where(columns.entry == entry).order_by(columns.number)
    return [
        VersionRecord(**{**row, "content": json.loads(row["content"])})
        for row in connection.execute(query).mappings()
    ]


def _current(connection: Connection, entry: str) -> int | None:
    columns = tables.deployment.c
    query = select(columns.version).where(columns.entry == entry).order_by(columns.number.desc())
    number: int | None = connection.scalar(query.limit(1))
    return number


def _recorded(
    connection: Connection, entry: str, state: Literal["promoted", "refused"], text: str
) -> VersionRecord:
    """The version of this content, which is added unless it is there."""
    known = _versions(connection, entry)
    same = (each for each in known if each.state == state and to_text(each.content, "the version") == text)
    return next(same, None) or _add(connection, entry, known[0].name, state, text)


def _add(
    connection: Connection, entry: str, name: str, state: Literal["promoted", "refused"], text: str
) -> VersionRecord:
    number = _next(connection, tables.version, entry)
    values = {"entry": entry, "number": number, "name": name, "state": state, "created_at": _now()}
    connection.execute(insert(tables.version).values({**values, "content": text}))
    return _versions(connection, entry)[number - 1]


def _point(connection: Connection, entry: str, version: int, reason: str) -> None:
    number = _next(connection, tables.deployment, entry)
    values = {"entry": entry, "number": number, "version": version, "reason": reason, "deployed_at": _now()}
    connection.execute(insert(tables.deployment).values(values))


def _next(connection: Connection, table: Any, entry: str) -> int:
    newest = connection.scalar(select(func.max(table.c.number)).where(table.c.entry == entry))
    return (newest or 0) + 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
