"""Which model answers for an entry, and how it learns on.

An entry that is deployed has versions, each a set of ordinary stored runs: one task, the run (one for each seed) whose
adapted model answers it. One of them is current, and the store's database says which (`store.deployments`).

version.py says what a version is and finds the current one, data.py reads new examples, plan.py says what a new version
is made of, judge.py compares it with the old one, learning.py does it all.
"""

from __future__ import annotations

from tianti.deployment.judge import Change, Rules
from tianti.deployment.learning import Lesson, Planned, Update, learn_on, plan_update
from tianti.deployment.version import (
    Served,
    Version,
    Versions,
    deployed,
    find_deployment,
    restore_version,
    versions_of,
)

__all__ = [
    "Change",
    "Lesson",
    "Planned",
    "Rules",
    "Served",
    "Update",
    "Version",
    "Versions",
    "deployed",
    "find_deployment",
    "learn_on",
    "plan_update",
    "restore_version",
    "versions_of",
]
