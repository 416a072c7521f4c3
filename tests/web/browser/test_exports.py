"""Files of a view: the same rows and numbers as the table, and nothing that does harm where it is opened."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest


@pytest.fixture
def board(page, address):
    page.goto(f"{address}en/b/all/?s=-sentiment&pin=nano-llama-full")
    page.locator("#tools").wait_for(state="visible")
    page.locator("summary", has_text="Download").click()
    return page


def saved(page, name):
    with page.expect_download() as waited:
        page.get_by_role("button", name=name, exact=True).click()
    download = waited.value
    return download.suggested_filename, download.path()


def entries_of(board, page):
    """Those of the view, in its order."""
    shown = page.locator("#board tbody tr:not(.space)").evaluate_all(
        "rows => rows.map((row) => row.dataset.entry)"
    )
    return [board.entry(id) for id in shown]


def wanted(board, page):
    """A row per entry: rank, names, and the scores as they are shown."""
    scores = lambda entry: [entry.cells.get(column.name) for column in board.columns]  # noqa: E731
    return [
        (
            entry.rank,
            entry.model,
            entry.adaptation,
            *(None if cell is None or cell.value is None else cell.value for cell in scores(entry)),
        )
        for entry in entries_of(board, page)
    ]


def check(board, page, rows):
    """These are the rows of the view; shares are in per cent with one decimal."""
    found = [
        (row["rank"], row["model"], row["adaptation"], *(row[c.name] for c in board.columns)) for row in rows
    ]
    assert [row[:3] for row in found] == [row[:3] for row in wanted(board, page)]
    for own, expected in zip(found, wanted(board, page), strict=True):
        for value, exact, column in zip(own[3:], expected[3:], board.columns, strict=True):
            assert (value is None) == (exact is None)
            if exact is not None:
                scale = 100 if column.scale == "proportion" else 1
                assert value == pytest.approx(scale * exact, abs=0.051 if scale == 100 else 0.005 * exact)


def test_json(board, shown):
    name, path = saved(board, "JSON")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert name == "all.json"
    assert content["snapshot"] == shown.snapshot.id
    assert content["view"] == "?s=-sentiment&pin=nano-llama-full"
    rows = [dict(zip(content["columns"], row, strict=True)) for row in content["rows"]]
    check(shown.snapshot.board, board, rows)


def test_parquet(board, shown):
    name, path = saved(board, "Parquet")
    assert name == "all.parquet"
    table = pq.read_table(path)
    check(shown.snapshot.board, board, table.to_pylist())
    assert table.schema.metadata[b"snapshot"].decode() == shown.snapshot.id


def test_csv_runs_no_formula(board, shown):
    _, path = saved(board, "CSV")
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert not any(value.startswith(("=", "+", "@", "\t", "\r")) for row in rows for value in row.values())
    assert any(row["model"] == "'=cmd|' /C calc'!A0" for row in rows)
    numbers = {"rank", *(column.name for column in shown.snapshot.board.columns)}
    for row in rows:
        row["model"] = row["model"].removeprefix("'")
        row.update({key: float(row[key]) if row[key] else None for key in numbers})
    check(shown.snapshot.board, board, rows)


def test_markdown_is_a_table_of_text(board, shown):
    _, path = saved(board, "Markdown")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 + len(shown.snapshot.board.entries)
    assert len({len(line.replace("\\|", "").split("|")) for line in lines}) == 1
    assert r"\<img src=x onerror=alert(1)\>" in "\n".join(lines)


def test_latex_is_a_table_of_text(board, shown):
    _, path = saved(board, "LaTeX")
    text = path.read_text(encoding="utf-8")
    assert r"\textless{}img src=x onerror=alert(1)\textgreater{}" in text
    assert r"=cmd\textbar{}' /C calc'!A0" in text
    assert r" \% $\uparrow$" in text
    assert text.count("\\\\\n") == 1 + len(shown.snapshot.board.entries)
    assert (
        len({line.replace(r"\&", "").count("&") for line in text.splitlines() if line.endswith("\\\\")}) == 1
    )
