import gc

import pytest

from tianti.core.garbage import collector_held


def test_the_collector_runs_again_afterwards():
    assert gc.isenabled()
    with collector_held():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_runs_again_after_an_error():
    with pytest.raises(ZeroDivisionError), collector_held():
        _ = 1 / 0
    assert gc.isenabled()


def test_who_held_it_before_holds_it_further():
    with collector_held():
        with collector_held():
            pass
        assert not gc.isenabled()
