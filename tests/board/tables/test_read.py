from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tianti.board.tables import as_table, read_table
from tianti.core.exceptions import InputError

ROWS = [
    {"model_a": "007", "model_b": "b, the second", "winner": "tie"},
    {"model_a": "b, the second", "model_b": "x\ny", "winner": "model_a"},
]


def write(path: Path) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    elif path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        quoted = ['"007","b, the second",tie', '"b, the second","x\ny",model_a']
        path.write_text("\n".join(["\ufeffmodel_a,model_b,winner", *quoted]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("form", [".csv", ".jsonl", ".parquet"])
def test_each_format_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    assert read_table(write(tmp_path / f"votes{form}"), "votes").to_pylist() == ROWS


def test_a_tsv_has_no_quoting(tmp_path: Path) -> None:
    path = tmp_path / "votes.tsv"
    path.write_text('left\tright\twinner\nthe "big" one\tb\tleft\nb\t"x\t\n')
    assert read_table(path, "votes").to_pylist() == [
        {"left": 'the "big" one', "right": "b", "winner": "left"},
        {"left": "b", "right": '"x', "winner": None},
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("votes.json", b"[]", r"unknown format '.json'.*\n.*jq"),
        ("missing.csv", None, "no file .*missing.csv"),
        ("votes.csv", b"", "has no header"),
        ("votes.csv", b"left,left\n1,2\n", "names 'left' twice"),
        ("votes.csv", b"left,right,winner\n", "holds no rows"),
        ("votes.csv", b"left,right,winner\na,b\n", "row 1: has 2 columns, expected 3"),
        ("votes.csv", b"left,right,winner\na,\xff,left\n", "cannot be read as .csv"),
        ("votes.jsonl", b'{"left": 1\n', "cannot be read as .jsonl"),
        ("votes.parquet", b"left", "cannot be read as .parquet"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_table(tmp_path / name, "votes")


def test_tables_of_other_kinds() -> None:
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    table = as_table(columns, "votes")
    assert as_table(table, "votes") is table
    assert as_table(table.to_pandas(), "votes").to_pylist() == ROWS
    with pytest.raises(InputError, match="expected a file, an Arrow table"):
        as_table(42, "votes")
    with pytest.raises(InputError, match="has no rows"):
        as_table({"left": []}, "votes")
