"""A version of a deployed entry: which runs' models answer which tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from tianti.adapt import parse_adaptation
from tianti.board.board import Board
from tianti.board.build import build_board
from tianti.board.entries import Entry
from tianti.board.results import last_stages, read_result
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.store import DeploymentRecord, Run, Store, VersionRecord
from tianti.study import full_notation

FIRST = 1


@dataclass(frozen=True)
class Served:
    """A task that a version answers, by the adapted models of these finished runs: one for each seed, in their order.

    `tianti.load_adapted(served.runs[0])` gives the model.
    """

    task: str
    reference: str
    fingerprint: str
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """What an entry answers with from the moment that this version is current.

    `adaptation` is that of the entry when it was first deployed; `strategy` how this version was made of version
    `parent` (empty for the first, which is the row of the board as it was); `learned` the digests of all data that it
    has learned since then. `changes` are the scores of the version before and of this one on every task, `rules`
    and `reason` say why it was promoted or refused.
    """

    entry: str
    name: str
    number: int
    state: Literal["promoted", "refused"]
    served: tuple[Served, ...]
    adaptation: str
    row: str
    """The key of the row of the board that its runs stand in."""
    strategy: str = ""
    parent: int | None = None
    learned: tuple[str, ...] = ()
    changes: tuple[Mapping[str, Any], ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    created_at: str = field(default="", compare=False)

    @property
    def content(self) -> dict[str, Any]:
        """What the store keeps of it besides its key, name, number and state."""
        content = asdict(self)
        for name in ("entry", "name", "number", "state", "created_at"):
            del content[name]
        return content

    @classmethod
    def of(cls, record: VersionRecord) -> Version:
        """The version that a record of the store holds."""
        content = dict(record.content)
        served = tuple(Served(**{**each, "runs": tuple(each["runs"])}) for each in content.pop("served"))
        for name in ("learned", "changes"):
            content[name] = tuple(content[name])
        return cls(
            entry=record.entry, name=record.name, number=record.number, state=record.state, served=served,
            created_at=record.created_at, **content,
        )  # fmt: skip


def deployed(store: Store, name: str) -> Version:
    """The version that answers for an entry now. Nothing is written.

    `name` is that of the entry on the board, or of a version of it. An entry that was never deployed answers with its
    finished runs: that is what its version 1 will be.

    Raises:
        UnknownNameError: the board has no such entry.
        IncompatibleError: it is a row that cannot be deployed.
    """
    found = find_deployment(store, name)
    current = store.deployments.current(found.entry)
    return Version.of(current) if current else found


def find_deployment(store: Store, name: str) -> Version:
    """Version 1 of the deployed entry of this name; of one that was never deployed what it will be. Errors as above."""
    names = store.deployments.entries()
    by_name = [key for key, title in names.items() if title == name]
    if by_name:
        return Version.of(store.deployments.versions(by_name[0])[0])
    board = build_board(store)
    entry = board.measured(name)
    key = _key(store, entry)
    for known in names:
        versions = [Version.of(record) for record in store.deployments.versions(known)]
        if key == known or key in {version.row for version in versions}:
            return versions[0]
    return _first(store, board, entry, key)


@dataclass(frozen=True)
class Versions:
    """All versions of an entry, oldest first; `current` is the number of the one that answers, `history` when each
    became so and why. `deployed` is False of an entry that the store has no version of: then the one here is what its
    first will be."""

    name: str
    current: int
    deployed: bool
    versions: tuple[Version, ...]
    history: tuple[DeploymentRecord, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def versions_of(store: Store, name: str) -> Versions:
    """The versions of an entry; errors as `deployed`."""
    first = find_deployment(store, name)
    current = store.deployments.current(first.entry)
    if current is None:
        return Versions(first.name, FIRST, False, (first,))
    versions = tuple(Version.of(record) for record in store.deployments.versions(first.entry))
    return Versions(first.name, current.number, True, versions, tuple(store.deployments.history(first.entry)))


def restore_version(store: Store, name: str, number: int) -> Version:
    """Make a version current again that was so before.

    Raises:
        UnknownNameError: no such entry, or it has no such version.
        StoreError: the version was refused.
    """
    first = find_deployment(store, name)
    if store.deployments.current(first.entry) is None and number == FIRST:
        return first  # what is never deployed answers with it
    return Version.of(store.deployments.restore(first.entry, number))


def _first(store: Store, board: Board, entry: Entry, key: str) -> Version:
    columns = {column.name: column for column in board.columns}
    served, manifests = [], []
    for name, cell in entry.cells.items():
        runs = [run for run in map(store.run, cell.run_ids) if run.state == "finished"]
        if cell.state == "ok" and runs:
            task = runs[0].manifest["task"]
            ids = tuple(run.run_id for run in runs)
            served.append(Served(task["name"], task["reference"], columns[name].fingerprint, ids))
            manifests.append(runs[0].manifest)
    if not served:
        raise InputError(
            f"{entry.name} has no finished run, and nothing to answer with", remedy="run its study first"
        )
    _check_learns(entry.name, manifests[0])
    return Version(key, entry.name, FIRST, "promoted", tuple(served), full_notation(manifests[0]), row=key)


def _check_learns(name: str, manifest: Mapping[str, Any]) -> None:
    """Raise IncompatibleError for a row that has no weights to go on with."""
    model = manifest["model"]["name"]
    if manifest["model"]["architecture"] == "baseline":
        raise IncompatibleError(
            f"{name} cannot learn on: a baseline is fitted to each task at once and has no weights to go on with",
            remedy="update a row of a network, such as nano:llama · lora",
        )
    adaptation = parse_adaptation(full_notation(manifest))
    if manifest["adaptation"]["settings"].get("from"):
        raise IncompatibleError(
            f"{name} cannot learn on: it shows what one task taught for others, and answers none of its own",
            remedy=f"update the row of {model} that learns the tasks it is asked",
        )
    if not adaptation.trains and adaptation.name != "zero-shot":
        raise IncompatibleError(
            f"{name} cannot learn on: {adaptation.name} puts examples into the prompt and trains nothing",
            remedy=f"update '{model} · zero-shot' (the same weights), or a row that trains, such as '{model} · lora'",
        )


def _key(store: Store, entry: Entry) -> str:
    """What the runs of a row have in common."""
    runs = [store.run(run_id) for cell in entry.cells.values() for run_id in cell.run_ids]
    return row_key(store, next((run for run in runs if run.state == "finished"), runs[0]))


def row_key(store: Store, run: Run) -> str:
    """The key of the row of the board that a run stands in."""
    result = read_result(store, run)
    return (last_stages([result]) or [result])[0].entry_key


def numbered(version: Version, record: VersionRecord) -> Version:
    """The version as the store recorded it."""
    return replace(
        version, number=record.number, state=record.state, name=record.name, created_at=record.created_at
    )
