"""The pointer to the current version of an entry."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.core.exceptions import StoreError, UnknownNameError
from tianti.store import Store

ENTRY = "ab" * 32


def test_an_entry_that_was_never_deployed_has_no_version(store):
    assert store.deployments.current(ENTRY) is None
    assert store.deployments.versions(ENTRY) == []
    assert store.deployments.entries() == {}


def test_versions_stay_and_the_newest_deployment_counts(store):
    deployments = store.deployments
    assert deployments.begin(ENTRY, "a · b", {"runs": ["x"]}).number == 1
    assert deployments.begin(ENTRY, "another name", {"runs": ["y"]}).content == {"runs": ["x"]}
    assert deployments.promote(ENTRY, {"runs": ["y"]}, after=1).number == 2
    assert deployments.refuse(ENTRY, {"runs": ["z"]}).number == 3
    assert deployments.refuse(ENTRY, {"runs": ["z"]}).number == 3
    assert deployments.current(ENTRY).number == 2
    assert deployments.restore(ENTRY, 1).content == {"runs": ["x"]}
    with Store(store.folder) as other:
        assert other.deployments.current(ENTRY).number == 1
        assert [each.state for each in other.deployments.versions(ENTRY)] == [
            "promoted",
            "promoted",
            "refused",
        ]
        history = other.deployments.history(ENTRY)
    assert [(each.version, each.reason) for each in history] == [
        (1, "deployed"),
        (2, "promoted"),
        (1, "restored"),
    ]
    assert deployments.entries() == {ENTRY: "a · b"}


def test_a_version_that_was_compared_with_another_is_not_promoted(store):
    store.deployments.begin(ENTRY, "a", {})
    store.deployments.promote(ENTRY, {"number": 2}, after=1)
    with pytest.raises(StoreError, match="version 2 is current now"):
        store.deployments.promote(ENTRY, {"number": 3}, after=1)
    assert store.deployments.current(ENTRY).content == {"number": 2}
    assert len(store.deployments.versions(ENTRY)) == 2


def test_what_cannot_be_restored(store):
    store.deployments.begin(ENTRY, "a", {})
    store.deployments.refuse(ENTRY, {"bad": True})
    with pytest.raises(StoreError, match=r"version 2 was refused(.|\n)*restore one of 1"):
        store.deployments.restore(ENTRY, 2)
    with pytest.raises(UnknownNameError, match="unknown version '3'"):
        store.deployments.restore(ENTRY, 3)
    store.deployments.restore(ENTRY, 1)
    assert len(store.deployments.history(ENTRY)) == 1


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.sampled_from(["promote", "refuse", "restore 1", "restore last"]), max_size=8))
def test_the_current_version_is_always_one_that_was_promoted(tmp_path_factory, steps):
    with Store(tmp_path_factory.mktemp("store")) as store:
        deployments = store.deployments
        deployments.begin(ENTRY, "a", {"step": -1})
        expected, promoted = 1, [1]
        for number, step in enumerate(steps):
            match step:
                case "promote":
                    expected = deployments.promote(ENTRY, {"step": number}, after=expected).number
                    promoted.append(expected)
                case "refuse":
                    deployments.refuse(ENTRY, {"step": number})
                case "restore 1":
                    expected = deployments.restore(ENTRY, 1).number
                case _:
                    expected = deployments.restore(ENTRY, promoted[-1]).number
            current = deployments.current(ENTRY)
            assert current.number == expected
            assert current.state == "promoted"
        assert [each.number for each in deployments.versions(ENTRY)] == list(
            range(1, 1 + len(deployments.versions(ENTRY)))
        )
