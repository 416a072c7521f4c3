"""What the store gives back besides answers and scores: runs, their attempts, and studies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

RunState = Literal["running", "finished", "failed"]


@dataclass(frozen=True)
class Run:
    """One execution of a trial; it may have been interrupted and resumed (`attempts` > 1).

    Times are UTC in ISO 8601. The counts are of answers that are durable: `answers_count` counts all of them,
    `errors_count` and `skipped_count` those that are not `ok`.
    """

    run_id: str
    trial_id: str
    manifest: Mapping[str, Any]
    state: RunState
    reason: str
    """Why it failed; empty otherwise."""
    environment: Mapping[str, Any]
    """Versions and hardware of the newest attempt."""
    cost: Mapping[str, Any]
    started_at: str
    finished_at: str | None
    attempts: int
    answers_count: int
    errors_count: int
    skipped_count: int
    supersedes: str | None = None
    """The finished run of the same trial that this one took the place of."""


@dataclass(frozen=True)
class Attempt:
    """One start of a run: the first, or a resumption. `number` counts from 1."""

    number: int
    started_at: str
    environment: Mapping[str, Any]


@dataclass(frozen=True)
class StudyRecord:
    """A study as it was last asked for: its name, its YAML text and the ids of its trials, in order."""

    name: str
    trial_ids: tuple[str, ...]
    text: str
    recorded_at: str


@dataclass(frozen=True)
class VersionRecord:
    """A version of an entry that is deployed, or was refused to be. `number` counts from 1 within the entry.

    `entry` is the key of the entry (64 hex digits), `name` what the board called it when its first version was made,
    `content` what `tianti.deployment` says of the version.
    """

    entry: str
    number: int
    name: str
    state: Literal["promoted", "refused"]
    content: Mapping[str, Any]
    created_at: str


@dataclass(frozen=True)
class DeploymentRecord:
    """From `deployed_at` on version `version` of the entry is current, until the record of the next `number`."""

    entry: str
    number: int
    version: int
    reason: str
    deployed_at: str
