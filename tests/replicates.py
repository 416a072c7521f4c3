"""How often a simulation is repeated: all of it under `make test-stats`, less in the tests of every day."""

from __future__ import annotations

import os

ALL = os.environ.get("TIANTI_REPLICATES") == "all"


def replicates(full: int, everyday: int | None = None) -> int:
    """`full` repetitions under `make test-stats`; otherwise `everyday`, or a tenth of `full`."""
    return full if ALL else (everyday if everyday is not None else max(full // 10, 1))
