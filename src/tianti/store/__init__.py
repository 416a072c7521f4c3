"""Runs on disk: answers as they come, sealed into Parquet; scores that are only ever added to."""

from __future__ import annotations

from tianti.evaluation.score import Score
from tianti.store.imports import ImportRecord, NewImport
from tianti.store.opening import has_store, open_or_none, open_store
from tianti.store.records import Attempt, DeploymentRecord, Run, StudyRecord, VersionRecord
from tianti.store.store import UPDATES, Store

__all__ = [
    "UPDATES",
    "Attempt",
    "DeploymentRecord",
    "ImportRecord",
    "NewImport",
    "Run",
    "Score",
    "Store",
    "StudyRecord",
    "VersionRecord",
    "has_store",
    "open_or_none",
    "open_store",
]
