"""What every test shares: one thread for tiny models, no network, and where real data lies."""

from __future__ import annotations

import gc
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings

from real_data_folder import REAL_DATA

torch.set_num_threads(1)

# How long an example takes depends on what else the machine does: no test may fail for it.
settings.register_profile("tianti", deadline=None)
settings.load_profile("tianti")


@pytest.fixture(scope="module", autouse=True)
def _libraries_set_aside() -> None:
    """Each training looks for garbage first: not among torch, transformers and all tests, which took 0.2 s and more."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def real_data() -> Path:
    """The folder of real data beside the checkout; the test is skipped where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    return REAL_DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: at the end of a run no process is left alone with a long one.

    `scripts/test` keeps xdist from putting the files with the fewest tests, which these are, last.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
