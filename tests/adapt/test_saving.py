"""What was learned, on disk: whole or absent, and for the same identity only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tianti.adapt import Cost, saving
from tianti.core.exceptions import StoreError

IDENTITY = {"adaptation": "full", "settings": {"lr": 0.1, "targets": ["a"]}, "seed": 0}
TENSORS = {"weight": torch.tensor([[1.5, -2.25]]), "half": torch.tensor([0.1], dtype=torch.bfloat16)}
COST = Cost(3, 4, 5, 6, 7, 8.5, train_loss=(1.0, 0.5), validation=(0.7,))


def test_saved_and_loaded(tmp_path: Path) -> None:
    assert saving.load(tmp_path, IDENTITY) is None
    size = saving.save(tmp_path / "deep" / "er", IDENTITY, TENSORS, COST)
    found = saving.load(tmp_path / "deep" / "er", IDENTITY)
    assert found is not None
    tensors, cost = found
    assert {name: t.dtype for name, t in tensors.items()} == {name: t.dtype for name, t in TENSORS.items()}
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert cost.saved_bytes == size > 0
    assert (cost.train_loss, cost.validation, cost.seconds) == ((1.0, 0.5), (0.7,), 8.5)


def test_a_record_of_before_with_a_figure_that_is_no_longer_taken(tmp_path: Path) -> None:
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    path = tmp_path / "adapted.json"
    record = json.loads(path.read_text())
    record["cost"]["peak_memory_bytes"] = 5
    path.write_text(json.dumps(record))
    found = saving.load(tmp_path, IDENTITY)
    assert found is not None
    assert found[1].seconds == COST.seconds


def test_a_folder_without_its_record_is_not_complete(tmp_path: Path) -> None:
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    (tmp_path / "adapted.json").rename(tmp_path / "adapted.json.part")
    assert saving.load(tmp_path, IDENTITY) is None
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    assert saving.load(tmp_path, IDENTITY) is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapted.json", "tensors.safetensors"]


def test_another_identity(tmp_path: Path) -> None:
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    with pytest.raises(StoreError, match=r"another adaptation \(seed differ"):
        saving.load(tmp_path, IDENTITY | {"seed": 1})


def test_changed_tensors(tmp_path: Path) -> None:
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    path = tmp_path / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match=r"was changed[\s\S]*delete the folder"):
        saving.load(tmp_path, IDENTITY)
    path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        saving.load(tmp_path, IDENTITY)


@pytest.mark.parametrize("record", ["", "{", "[]", "{}"])
def test_a_broken_record(record: str, tmp_path: Path) -> None:
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    (tmp_path / "adapted.json").write_text(record)
    with pytest.raises(StoreError, match="cannot be read"):
        saving.load(tmp_path, IDENTITY)


def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        saving.save(tmp_path / "file" / "folder", IDENTITY, TENSORS, COST)


def test_the_record_is_readable(tmp_path: Path) -> None:
    saving.save(tmp_path, IDENTITY, TENSORS, COST)
    record = json.loads((tmp_path / "adapted.json").read_text())
    assert set(record) == {"identity", "cost", "digest"}
    assert record["cost"]["steps"] == 6
