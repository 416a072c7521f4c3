from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import TaskError
from tianti.tasks.data import READERS, columns, read_rows

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)
tables = st.lists(st.fixed_dictionaries({"text": texts, "label": texts}), min_size=1, max_size=5)


def write(path: Path, rows: list[dict]) -> Path:
    """`rows` in the format of the path's suffix, by another writer than ours."""
    match path.suffix:
        case ".jsonl":
            path.write_text(
                "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8", newline=""
            )
        case ".json":
            path.write_text(json.dumps(rows), "utf-8")
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        case ".tsv":
            lines = ["\t".join(rows[0])] + ["\t".join(row.values()) for row in rows]
            path.write_text("\n".join(lines) + "\n", "utf-8")
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("suffix", sorted(set(READERS) - {".tsv"}))
@given(rows=tables)
def test_every_format_gives_back_what_was_written(suffix, rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / f"rows{suffix}"
    assert read_rows(write(path, rows)) == rows


def test_a_tsv_takes_quotation_marks_as_they_are(tmp_path):
    rows = [{"text": '"so', "label": "1"}, {"text": "it's", "label": "0"}]
    assert read_rows(write(tmp_path / "a.tsv", rows)) == rows


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_no_harm(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\r\n{"text": "b"}')
    assert read_rows(path) == [{"text": "a"}, {"text": "b"}]
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbftext,label\r\n"a, b",1\r\n\r\n')
    assert read_rows(path) == [{"text": "a, b", "label": "1"}]


def test_line_separators_inside_a_json_text_do_not_end_the_line(tmp_path):
    rows = [{"text": "one\u2028two\x85three"}]
    assert read_rows(write(tmp_path / "a.jsonl", rows)) == rows


def test_columns_are_those_of_any_row():
    assert columns([{"a": 1}, {"b": 2}]) == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b"", "holds no rows"),
        ("a.json", b"[]", "holds no rows"),
        ("a.json", b" ", "holds no rows"),
        ("a.csv", b"text,label\n", "holds no rows"),
        ("a.csv", b"", "holds no rows"),
        ("a.xlsx", b"", "unknown format '.xlsx'"),
        ("a.jsonl", b'{"a": 1}\n{"a": 2\n', "broken JSON in line 2"),
        ("a.jsonl", b"[1, 2]\n", "line 1 is a list, expected an object"),
        ("a.jsonl", b"null\n", "line 1 is null"),
        ("a.json", b'[{"a": 1},\n{"a" 2}]', "broken JSON in line 2, column 6"),
        ("a.json", b'{"a": 1}', "expected a list of objects, found an object"),
        ("a.json", b"[3]", "element 1 is a number"),
        ("a.jsonl", '{"text": "café"}'.encode("latin-1"), "not UTF-8 at byte 13 (0xe9)"),
        ("a.csv", "text\nok\n".encode("utf-16"), "looks like UTF-16"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "row 2 has 3 values, the header has 2 columns"),
        ("a.csv", b"a,b\n1\n", "row 1 has 1 values"),
        ("a.csv", b"a,a\n1,2\n", "names 'a' twice"),
        ("a.csv", b'a\n"never closed\n', "broken table"),
        ("a.parquet", b"not parquet", "no Parquet file"),
    ],
)
def test_bad_files_say_what_and_where(name, content, expected, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TaskError) as error:
        read_rows(path)
    assert expected in error.value.message
    assert str(path) in error.value.message
    assert error.value.remedy


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "train.jsonl").touch()
    with pytest.raises(TaskError, match=r"did you mean train\.jsonl"):
        read_rows(tmp_path / "trian.jsonl")
    with pytest.raises(TaskError, match=r"data files there: train\.jsonl"):
        read_rows(tmp_path / "reviews.csv")
    with pytest.raises(TaskError, match="no folder"):
        read_rows(tmp_path / "nowhere" / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "a.csv",
            "text;label\ngood, really;positive\n",
            "a semicolon stands between its names, a .csv has a comma",
        ),
        ("a.csv", "text\tlabel\ngood\tpositive\n", "a tab stands between its names, a .csv has a comma"),
        ("a.tsv", "text,label\ngood,positive\n", "a comma stands between its names, a .tsv has a tab"),
    ],
)
def test_another_separator_is_recognised(tmp_path, name, content, says):
    (tmp_path / name).write_text(content)
    with pytest.raises(TaskError, match=says) as caught:
        read_rows(tmp_path / name)
    assert "save it with" in caught.value.remedy


def test_a_table_of_one_column_is_a_table(tmp_path):
    (tmp_path / "a.csv").write_text("text\ngood; really\n")
    assert read_rows(tmp_path / "a.csv") == [{"text": "good; really"}]
