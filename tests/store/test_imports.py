"""Files of other programs: added whole or not at all, once, and read back as they were sealed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

import tianti
from tianti.core.exceptions import StoreError, UnknownNameError
from tianti.store import NewImport, Store


def new(name="a", study="s", value=1.0, **facts):
    scores = pa.table({"model": ["m", "n"], "value": [value, None]})
    return NewImport(study, "some format", f"{name}.csv", name * 64, facts, {"scores": scores})


def test_what_is_added_is_read_back(store):
    (record,) = store.add_imports([new(said="this", number=1.5)])
    assert store.imports() == store.imports("s") == [record]
    assert store.imports("other") == []
    assert (record.study, record.format, record.source, record.facts) == (
        "s", "some format", "a.csv", {"said": "this", "number": 1.5},
    )  # fmt: skip
    table = store.imported_table(record, "scores")
    assert table.to_pydict() == {"model": ["m", "n"], "value": [1.0, None]}
    assert store.imported_table(record, "scores", ["value", "nothing"]).column_names == ["value"]
    assert store.imported_table(record, "items") is None


def test_the_same_file_is_added_to_a_study_once(store):
    assert len(store.add_imports([new(), new("b"), new()])) == 2
    assert store.add_imports([new()]) == []
    assert len(store.add_imports([new(study="t")])) == 1
    assert [record.source for record in store.imports()] == ["a.csv", "b.csv", "a.csv"]


def test_one_that_cannot_be_stored_leaves_nothing(store):
    with pytest.raises(StoreError, match="cannot be stored"):
        store.add_imports([new(), new("b", number=float("nan"))])
    assert store.imports() == []


def test_a_study_of_imports_has_no_runs_and_its_name_is_known(store):
    store.add_imports([new()])
    assert store.runs("s") == []
    with pytest.raises(UnknownNameError, match="unknown study 't': Valid: s"):
        store.runs("t")


def test_what_was_changed_is_refused(store):
    (record,) = store.add_imports([new()])
    path = store.folder / record.parts["scores"].uri
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreError, match="is gone or was changed"):
        store.imported_table(record, "scores")
    path.unlink()
    with pytest.raises(StoreError, match="is gone or was changed"):
        store.imported_table(record, "scores")


def test_sealed_tables_are_no_orphans(store):
    (record,) = store.add_imports([new()])
    path = store.folder / record.parts["scores"].uri
    stray = path.with_name("stray.parquet")
    stray.write_bytes(b"")
    for file in (path, stray):
        os.utime(file, (time.time() - 7200,) * 2)
    with Store(store.folder) as again:
        assert again.imported_table(record, "scores").num_rows == 2
    assert not stray.exists()


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from tianti.store import Store
from test_imports import new
with Store(Path({folder!r})) as store:
    store.add_imports([new(), new("b", value=2.0)])
"""


@pytest.mark.parametrize(
    "where", ["before_part_rename", "after_part_rename", "before_part_rename:2", "after_part_rename:2"]
)
def test_a_killed_import_leaves_nothing(tmp_path, where):
    code = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    path = os.pathsep.join(
        filter(None, [str(Path(tianti.__file__).parents[1]), os.environ.get("PYTHONPATH")])
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TIANTI_FAILPOINT": where, "PYTHONPATH": path}
    )
    assert killed.returncode == 137
    with Store(tmp_path) as store:
        assert store.imports() == []
        assert len(store.add_imports([new(), new("b", value=2.0)])) == 2
        assert [store.imported_table(record, "scores").num_rows for record in store.imports()] == [2, 2]
