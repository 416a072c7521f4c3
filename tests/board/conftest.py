"""Runs that look like a study's, without a model: chances of being right per entry and task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tianti.store import Store
from worlds import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened
