from __future__ import annotations

import pytest

from tianti.core.exceptions import InputError, TaskError, UnknownNameError
from tianti.tasks.check import check_task
from tianti.tasks.kinds import KINDS
from tianti.tasks.new import new_task


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_task_of_every_kind_passes_its_check(kind, tmp_path):
    path = new_task("my_task", tmp_path / "tasks", kind)
    assert path == tmp_path / "tasks" / "my_task.yaml"
    assert path.read_text("utf-8").startswith("# A ")
    checked = check_task(path)
    assert (checked.info.name, checked.info.kind) == ("my_task", kind)
    assert [split.split for split in checked.splits] == ["train", "test"]
    assert [warning for warning in checked.warnings if "intervals" not in warning] == []


def test_nothing_is_overwritten(tmp_path):
    new_task("mine", tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TaskError, match="is there already"):
        new_task("mine", tmp_path, "question-answering")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_bad_names(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'classification'"):
        new_task("mine", tmp_path, "clasification")
    for name in ("../mine", "a/b", "", "a b"):
        with pytest.raises(InputError, match="cannot name a task"):
            new_task(name, tmp_path)
