import builtins
import csv
import io
from dataclasses import replace

import pytest

from tianti.board.assemble import assemble
from tianti.board.cut import cut
from tianti.board.entries import Price
from tianti.board.export import SCHEMA
from tianti.board.filters import read
from tianti.core.exceptions import MissingExtraError


@pytest.fixture
def board(world):
    results = [world.result("=cmd()", chance=0.9), world.result("b", task="topics")]
    return assemble([*results, world.failed("b", "lora", "topics", "does not fit")], "demo")


def test_arrow_has_a_row_per_cell_and_nulls_for_what_is_missing(board):
    table = board.to_arrow()
    assert table.schema == SCHEMA
    rows = table.to_pylist()
    assert len(rows) == 3
    failed = next(row for row in rows if row["state"] == "failed")
    assert failed["value"] is None
    assert failed["reason"] == "does not fit"
    cell = board.entries[0].cells[rows[0]["task"]]
    assert rows[0]["value"] == cell.value
    assert rows[0]["runs"] == cell.run_ids[0]


def test_pandas(board):
    frame = board.to_pandas()
    assert list(frame.columns) == SCHEMA.names
    assert len(frame) == 3


def test_pandas_missing(board, monkeypatch):
    real = builtins.__import__

    def without_pandas(name, *arguments, **options):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(MissingExtraError, match="pandas"):
        board.to_pandas()


def test_an_entry_of_which_no_task_is_shown_has_a_row_all_the_same(board):
    rows = cut(board, read("cols=mean")).board.to_arrow().to_pylist()
    assert [(row["model"], row["task"], row["value"], row["n"]) for row in rows] == [
        (entry.model, "", None, None) for entry in board.entries
    ]


def test_what_was_not_measured_here_took_nothing_that_is_known(board):
    imported = replace(
        board, entries=tuple(replace(e, provenance="imported", price=Price()) for e in board.entries)
    )
    names = ("trainable_parameters", "training_seconds", "evaluation_tokens", "watt_hours")
    assert {row[name] for row in imported.to_arrow().to_pylist() for name in names} == {None}


def test_csv_is_safe_for_spreadsheets(board):
    rows = list(csv.DictReader(io.StringIO(board.to_csv())))
    assert len(rows) == 3
    assert {row["model"] for row in rows} == {"'=cmd()", "b"}
    assert next(row for row in rows if row["state"] == "failed")["value"] == ""
