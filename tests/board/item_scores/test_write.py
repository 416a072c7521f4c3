import json

import numpy as np
import pytest

from tianti.board.item_scores import ItemTable, TaskItems, find_columns, rank_items, read_items, write_items
from tianti.board.tables import read_table
from tianti.core.exceptions import InputError


def some_table(name='a, "b"'):
    rng = np.random.default_rng(0)
    values = rng.random((3, 8)).round(3) / 3
    values[0, 3] = np.nan
    answers = np.where(np.isnan(values), 0.0, 2.0)
    return ItemTable(
        (name, "b · lora(r=8)", "c"),
        (
            TaskItems("s", tuple("01234567"), values, answers, tuple("xxyyzz67"), 0.25),
            TaskItems("t", tuple("01234567"), 1 - values, answers),
        ),
    )


@pytest.mark.parametrize("form", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_what_is_written_is_read_again_exactly(tmp_path, form):
    table, path = some_table(), tmp_path / f"scores{form}"
    assert write_items(table, path) == 46
    rows = read_table(path, "scores")
    found = read_items(rows, find_columns(rows.column_names))
    assert found.entries == table.entries
    for one, other in zip(table.tasks, found.tasks, strict=True):
        assert (one.name, one.names, one.clusters, one.chance) == (
            other.name, other.names, other.clusters, other.chance,
        )  # fmt: skip
        assert np.array_equal(one.values, other.values, equal_nan=True)
        assert np.array_equal(one.answers, other.answers)
    for by in ("mean", "borda"):
        first, second = (json.loads(rank_items(each, by).to_json()) for each in (table, found))
        assert (second.pop("rows"), first.pop("rows")) == (46, 0)
        assert first == second


@pytest.mark.parametrize(
    ("name", "entry", "says"),
    [
        ("scores.xlsx", "a", "unknown format '.xlsx', expected .csv"),
        ("none/scores.csv", "a", "there is no folder .*none"),
        ("scores.tsv", "a\tb", "a name in entry holds a tab"),
    ],
)
def test_where_it_cannot_be_written(tmp_path, name, entry, says):
    with pytest.raises(InputError, match=says):
        write_items(some_table(entry), tmp_path / name)
    assert not (tmp_path / name).exists()
