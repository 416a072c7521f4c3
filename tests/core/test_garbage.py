from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tianti.core.garbage import without_collection


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.enable()


def test_it_is_as_before_afterwards_whatever_happens() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), without_collection():
        _ = {}["nothing"]
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    with without_collection(), without_collection():
        pass
    assert not gc.isenabled()
