"""What is served follows the store, whole or not at all."""

import logging

import pytest
from starlette.testclient import TestClient

from tianti.core.exceptions import StoreError
from tianti.web.app import app_of
from tianti.web.live import Live


@pytest.fixture
def live(store, world):
    world.items = 8
    world.record(store, "first")
    return Live(store)


def test_a_snapshot_is_taken_when_the_store_has_changed_and_only_then(live, store, world, monkeypatch):
    client = TestClient(app_of(lambda: live.responder))
    before = client.get("/en/b/all/").text
    assert live.snapshot.id in before
    shown = live.responder
    with monkeypatch.context() as patched:
        patched.setattr("tianti.web.live.take_snapshot", None)
        assert not live.refresh()
    assert live.responder is shown
    world.record(store, "second")
    assert client.get("/en/b/all/").text == before
    assert live.refresh()
    after = client.get("/en/b/all/").text
    assert live.snapshot.id in after
    assert "second" in after
    assert client.get("/api/v1/index.json").json()["snapshot"] == live.snapshot.id
    assert not live.refresh()


def test_a_change_that_shows_nothing_new_keeps_what_is_rendered(live, store):
    shown = live.responder
    store.record_study("a", [], "study: a")
    assert not live.refresh()
    assert live.responder is shown


def test_a_change_while_a_snapshot_is_taken_is_found_by_the_next_look(live, store, world, monkeypatch):
    world.record(store, "second")

    def slow(*given):
        snapshot = take_snapshot(*given)
        world.record(store, "third")
        return snapshot

    from tianti.web.live import take_snapshot

    with monkeypatch.context() as patched:
        patched.setattr("tianti.web.live.take_snapshot", slow)
        assert live.refresh()
    assert {entry.model for entry in live.snapshot.board.entries} == {"first", "second"}
    assert live.refresh()
    assert {entry.model for entry in live.snapshot.board.entries} == {"first", "second", "third"}


def test_a_store_that_cannot_be_read_is_told_and_shown_as_it_was(live, monkeypatch, caplog):
    shown, seen = live.responder, []

    def unreadable():
        seen.append(1)
        raise StoreError("the disk is gone")

    monkeypatch.setattr(live._store, "state", unreadable)
    with caplog.at_level(logging.WARNING), live.kept_fresh(0.01):
        while len(seen) < 2:
            pass
    assert live.responder is shown
    assert "the disk is gone" in caplog.text
