import os

import pytest
import torch

from tianti.core.environment import cores, environment, peak_memory_bytes, versions


def test_the_packages_that_numbers_depend_on_are_named() -> None:
    assert versions()["torch"] == torch.__version__
    assert "transformers" in versions()


def test_the_hardware_is_named() -> None:
    facts = environment()
    assert facts["cores"] >= 1
    assert facts["memory_bytes"] > 2**28
    assert facts["threads"] == torch.get_num_threads()
    assert facts["processor"]


def test_peak_memory_is_at_least_what_python_needs() -> None:
    assert peak_memory_bytes() > 10 * 2**20


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_cores_are_those_that_the_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)
