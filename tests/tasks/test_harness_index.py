from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tianti.core.exceptions import MissingExtraError, TaskError
from tianti.tasks import harness_index
from tianti.tasks.harness_index import harness_version, list_harness, read_index, tasks_folder
from tianti.tasks.harness_load import build_lm_eval_tasks

SMALL = {
    "hellaswag": ("task", "hellaswag/hellaswag.yaml", ()),
    "mmlu_anatomy": ("task", "mmlu/default/mmlu_anatomy.yaml", ()),
    "mmlu_anatomy_flan": ("group", "mmlu/flan.yaml", ()),
    "mmlu_stem_tasks": ("tag", None, ("mmlu_anatomy",)),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and a scan that finds four names."""
    monkeypatch.setenv("TIANTI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(harness_index, "_scan", lambda: SMALL)
    return tmp_path / "cache"


def test_the_index_is_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_index()
    monkeypatch.setattr(harness_index, "_scan", lambda: pytest.fail("scanned again"))
    assert read_index() == first
    assert first["mmlu_stem_tasks"].members == ("mmlu_anatomy",)
    (file,) = cache.iterdir()
    assert harness_version() in file.name


def test_another_version_has_another_index(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_index()
    monkeypatch.setattr(harness_index, "harness_version", lambda: "99.0")
    monkeypatch.setattr(harness_index, "_scan", lambda: {"new": ("task", "new.yaml", ())})
    assert set(read_index()) == {"new"}


def test_list_by_pattern_and_by_word(cache: Path) -> None:
    assert list_harness("mmlu_*") == [
        ("mmlu_anatomy", "task"),
        ("mmlu_anatomy_flan", "group"),
        ("mmlu_stem_tasks", "tag"),
    ]
    assert list_harness("swag") == [("hellaswag", "task")]
    assert len(list_harness()) == 4


def test_the_paths_lead_to_lm_evals_files(cache: Path) -> None:
    assert (tasks_folder() / (read_index()["hellaswag"].path or "")).is_file()


def test_the_scan_finds_what_lm_eval_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lm_eval import tasks as lm_eval_tasks

    class SmallManager(lm_eval_tasks.TaskManager):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(include_path=str(tasks_folder() / "mmlu" / "default"), include_defaults=False)

    monkeypatch.setattr(lm_eval_tasks, "TaskManager", SmallManager)
    found = harness_index._scan()
    assert found["mmlu"][:2] == ("group", "mmlu/default/_mmlu.yaml")
    assert found["mmlu_anatomy"] == ("task", "mmlu/default/mmlu_anatomy.yaml", ())
    assert "mmlu_anatomy" in found["mmlu_stem_tasks"][2]


def test_a_packaged_task_is_built_without_reading_the_others(cache: Path) -> None:
    """Offline, HellaSwag gets as far as its data set, and says which one and what to do."""
    with pytest.raises(TaskError, match="Rowan/hellaswag") as caught:
        build_lm_eval_tasks("hellaswag", [], None)
    assert "HF_HOME" in caught.value.remedy
    with pytest.raises(TaskError, match="cais/mmlu, anatomy"):
        build_lm_eval_tasks("mmlu_stem_tasks", [], None)


def test_without_lm_eval(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise harness_index.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(harness_index.importlib.metadata, "version", missing)
    with pytest.raises(MissingExtraError, match="lm_eval"):
        read_index()


def test_listing_imports_neither_lm_eval_nor_datasets(cache: Path) -> None:
    read_index()
    code = (
        "import sys; from tianti.tasks.harness_index import list_harness; assert list_harness('hella*');"
        "assert not {'lm_eval', 'datasets', 'torch'} & set(sys.modules), 'heavy import'"
    )
    source = str(Path(harness_index.__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": source})
