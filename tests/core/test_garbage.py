from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from tianti.api import run
from tianti.core.garbage import SetAside, without_collection
from tianti.study import study_of


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    gc.unfreeze()  # what all tests set aside
    yield
    gc.enable()
    gc.unfreeze()


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


class Knot:
    """Refers to itself, so that only a look for garbage frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_set_aside_is_left_out_until_it_is_taken_back() -> None:
    old = Knot()
    gone = weakref.ref(old)
    aside = SetAside()
    aside.take()
    new = weakref.ref(Knot())
    del old
    gc.collect()
    assert new() is None
    assert gone() is not None
    aside.back()
    gc.collect()
    assert gone() is None


def test_it_is_taken_back_when_nobody_holds_it() -> None:
    aside = SetAside()
    aside.take()
    assert gc.get_freeze_count()
    del aside
    assert not gc.get_freeze_count()


def test_who_set_something_aside_before_decides_over_it() -> None:
    gc.freeze()
    aside = SetAside()
    aside.take()
    aside.back()
    assert gc.get_freeze_count()


def test_a_study_sets_aside_what_was_there_once_its_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    monkeypatch.setattr("tianti.conductor.set_threads", lambda _: counts.append(gc.get_freeze_count()))
    run(
        study_of(
            models=["nano:llama-untrained", "nano:bert-untrained"],
            tasks=["nano/sentiment"],
            limit=2,
            workers=1,
        ),
        store=tmp_path,
    )
    assert len(counts) == 2
    assert all(counts)
    assert not gc.get_freeze_count()
