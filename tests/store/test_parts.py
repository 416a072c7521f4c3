from __future__ import annotations

import errno
import hashlib
import json
import os
import random
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tianti.core.exceptions import StoreError
from tianti.evaluation.answer import Answer
from tianti.store import parts
from tianti.store.parts import SCHEMA, Part, draft_part, old_files, read_part


def place(folder: Path, answers: list[Answer]) -> Part:
    folder.mkdir(exist_ok=True)
    with draft_part(folder, answers) as draft:
        return draft.place()


def test_every_field_of_an_answer_has_a_column():
    assert set(SCHEMA.names) == {field.name for field in fields(Answer)}


def test_a_part_gives_back_what_was_written(tmp_path, make):
    answers = [*make.answers(5), make.answer(5, state="error", reason="NaN", values={}, responses=())]
    part = place(tmp_path / "parts", answers)
    assert part.rows == 6
    assert part.uri == f"parts/{part.sha256}.parquet"
    assert hashlib.sha256((tmp_path / part.uri).read_bytes()).hexdigest() == part.sha256
    assert read_part(tmp_path, part) == answers


def test_any_reader_of_parquet_can_read_a_part(tmp_path, make):
    part = place(tmp_path, make.answers(3))
    table = pq.read_table(tmp_path / f"{part.sha256}.parquet")
    assert table.schema.equals(SCHEMA)
    assert table.column("position").to_pylist() == [0, 1, 2]
    assert json.loads(table.column("values")[0].as_py())["acc"] == 1.0


def test_equal_answers_give_equal_bytes(tmp_path, make):
    """Whatever the order of keys, the folder and the moment; a changed answer gives another digest."""
    answers = make.answers(40)
    shuffled = [
        make.answer(answer.position, values=dict(random.Random(7).sample(sorted(answer.values.items()), 2)))
        for answer in answers
    ]
    one, two = place(tmp_path / "a", answers), place(tmp_path / "b", shuffled)
    assert one.sha256 == two.sha256
    assert place(tmp_path / "a", answers[:-1]).sha256 != one.sha256
    assert place(tmp_path / "a", [make.answer(0, tokens=8), *answers[1:]]).sha256 != one.sha256


def test_answers_are_written_in_groups(tmp_path, make, monkeypatch):
    monkeypatch.setattr(parts, "_ROWS_OF_A_GROUP", 3)
    part = place(tmp_path / "parts", make.answers(8))
    file = pq.ParquetFile(tmp_path / part.uri)
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [3, 3, 2]
    assert read_part(tmp_path, part) == make.answers(8)


def test_nothing_is_left_of_a_draft_that_was_not_placed(tmp_path, make):
    with draft_part(tmp_path, make.answers(1)):
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def test_a_part_of_another_store_is_not_taken_for_the_sealed_one(tmp_path, make):
    part = place(tmp_path / "parts", make.answers(2))
    other = place(tmp_path / "parts", make.answers(3))
    (tmp_path / other.uri).replace(tmp_path / part.uri)
    with pytest.raises(StoreError, match="their sha256 differs"):
        read_part(tmp_path, part)
    with pytest.raises(StoreError, match="are gone"):
        read_part(tmp_path, other)


@pytest.mark.parametrize("writes_that_succeed", [0, 1])
def test_a_full_disk_leaves_nothing_behind(tmp_path, make, monkeypatch, writes_that_succeed):
    real = Path.open

    class FullDisk:
        """A file whose writes fail from the n-th on."""

        def __init__(self, file):
            self.file = file
            self.left = writes_that_succeed

        def write(self, data):
            if self.left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.left -= 1
            return self.file.write(data)

        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

    monkeypatch.setattr(Path, "open", lambda path, mode: FullDisk(real(path, mode)))
    with pytest.raises(OSError, match="No space left") as caught, draft_part(tmp_path, make.answers(3)):
        pass
    assert caught.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


def test_only_old_files_are_called_old(tmp_path):
    for name, age in {"new": 0.0, "young": 3000.0, "old": 4000.0}.items():
        path = tmp_path / name
        path.touch()
        moment = path.stat().st_mtime - age
        os.utime(path, (moment, moment))
    assert old_files(tmp_path) == {"old"}
