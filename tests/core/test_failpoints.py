from __future__ import annotations

import os

import pytest

from tianti.core import failpoints


class Died(Exception):  # noqa: N818
    pass


@pytest.fixture
def deaths(monkeypatch):
    def die(status):
        raise Died(status)

    monkeypatch.setattr(os, "_exit", die)
    monkeypatch.setattr(failpoints, "_reached", failpoints.Counter())


@pytest.mark.usefixtures("deaths")
def test_without_the_variable_nothing_happens(monkeypatch):
    monkeypatch.delenv("TIANTI_FAILPOINT", raising=False)
    failpoints.failpoint("here")


@pytest.mark.usefixtures("deaths")
@pytest.mark.parametrize(("setting", "survived"), [("here", 0), ("here:1", 0), ("here:3", 2)])
def test_the_process_ends_at_the_wanted_time(monkeypatch, setting, survived):
    monkeypatch.setenv("TIANTI_FAILPOINT", setting)
    for _ in range(survived):
        failpoints.failpoint("here")
        failpoints.failpoint("elsewhere")
    with pytest.raises(Died, match="137"):
        failpoints.failpoint("here")
