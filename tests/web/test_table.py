"""The data that the board's page draws: the numbers of the board, as they are shown."""

import json

from tianti.board.show import cell_text, is_share, mean_text, number
from tianti.board.snapshot import take_snapshot
from tianti.web.table import digits, table_json, task_slugs, tenths
from tianti.web.views import views_of
from worlds import PERPLEXITY, World


def text_of(value, half, share):
    """As static/board/numbers.js writes it."""
    written = (lambda each: f"{each / 10:.1f}") if share else number
    return "–" if value is None else written(value) if half is None else f"{written(value)} ±{written(half)}"


def test_a_table_says_what_the_board_says(store):
    world = World(items=30, languages={"topics": "zh"}, metrics={"texts": PERPLEXITY})
    ece = {"metric": "ece", "main": False, "higher_is_better": False, "scale": "ratio"}
    for model, chance in (("a", 0.9), ("b", 0.3)):
        for task in ("sentiment", "topics"):
            world.record(store, model, "lora", task, chance, further=[world.score(0.2, "sentiment", **ece)])
    world.record(store, "a", "zero-shot", "texts", 0.5)
    world.record_failure(store, "b", "full", "topics", "out of memory")
    board = take_snapshot(store).board
    (view,) = views_of([board])
    table = json.loads(table_json(view, "name"))
    entries, words = table["entries"], table["words"]
    assert [each["slug"] for each in table["tasks"]] == task_slugs(view)
    for row, entry in enumerate(board.entries):
        assert table["models"][entries["model"][row]]["name"] == entry.model
        for key, value in (
            ("adaptation", entry.adaptation),
            ("method", entry.method),
            ("family", entry.architecture),
        ):
            assert words[key][entries[key][row]] == value
        assert text_of(entries["mean"][row], entries["mean_half"][row], True) == mean_text(entry)
        assert entries["rank"][row] == entry.rank
        for at, column in enumerate([*board.columns, *board.aspects]):
            cell = {**entry.cells, **entry.aspects}.get(column.name)
            cells = table["cells"][at]
            half = cells["half"][row] if cells["half"] else None
            shown = cell_text(cell, column) if cell is not None and cell.state == "ok" else "–"
            assert text_of(cells["value"][row], half, is_share(column)) == shown
            assert (row in cells["best"]) == (cell is not None and cell.rank_low == 1)
    failed = [
        note for cells in table["cells"] for note in cells["notes"].values() if note["state"] == "failed"
    ]
    assert [note["reason"] for note in failed] == ["out of memory"]


def test_numbers_are_those_that_are_shown():
    assert [tenths(value) for value in (0.71349, -0.00004, 1.0, None)] == [713, 0, 1000, None]
    assert [digits(value) for value in (1234.4, 0.40912, 999.7, None)] == [1234, 0.409, 1000, None]
