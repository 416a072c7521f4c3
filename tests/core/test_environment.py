import torch

from tianti.core.environment import environment, peak_memory_bytes, versions


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
