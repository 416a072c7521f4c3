"""Files of a view: those that `tianti board --output` writes of it, and nothing that does harm where it is opened."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from tianti.board.cut import cut
from tianti.board.filters import read
from tianti.board.formats import FORMATS
from tianti.cli import main

NAMES = {"CSV": "csv", "JSON": "json", "Markdown": "md", "LaTeX": "tex", "Parquet": "parquet"}
VIEWS = (
    "",
    "s=-sentiment&pin=nano-llama-full",
    "q=a&r=lora&f=mean:ge:-50.5&s=rank&s=-mean",
    "lang=zh&s=topics",
    "cols=texts,energy,sentiment,seconds,mean,parameters&f=sentiment:gt:10&pin=nano-llama-zero-shot",
    "cols=energy&q=(r%3D8)",
    "cols=rank&r=full&r=lora",
    "q=nobody",
    "q=%E6%A8%A1%E5%9E%8B",
)


@pytest.fixture
def board(page, address):
    def opened(view):
        page.goto(f"{address}en/b/all/" + (f"?{view}" if view else ""))
        page.locator("#tools").wait_for(state="visible")
        page.locator("summary", has_text="Download").click()

    return opened


def saved(page, name):
    with page.expect_download() as waited:
        page.get_by_role("button", name=name, exact=True).click()
    download = waited.value
    return download.suggested_filename, download.path()


@pytest.mark.parametrize("view", VIEWS)
def test_files_of_a_view_are_those_of_the_terminal(board, page, shown, tmp_path, view):
    board(view)
    part = cut(shown.snapshot.board, read(view))
    for name, ending in NAMES.items():
        file = tmp_path / f"board.{ending}"
        with pytest.raises(SystemExit, match="0"):
            main(["board", "--view", page.url, "--output", str(file), "--store", str(shown.store.folder)])
        suggested, path = saved(page, name)
        assert suggested == f"all.{ending}"
        own, expected = path.read_bytes(), file.read_bytes()
        assert expected == FORMATS[ending].write(part, shown.snapshot.streams)
        if ending == "json" and view:
            assert json.loads(own) == json.loads(expected)
        elif ending == "parquet" and view:
            own, expected = pq.read_table(io.BytesIO(own)), pq.read_table(io.BytesIO(expected))
            assert own == expected
            assert own.schema.metadata == expected.schema.metadata
        else:
            assert own == expected
        if ending != "parquet" and part.board.entries:
            assert shown.snapshot.board.snapshot in path.read_text(encoding="utf-8")


def test_csv_runs_no_formula(board, page, shown):
    board("s=-sentiment")
    _, path = saved(page, "CSV")
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    texts = [row[name] for row in rows for name in ("entry", "model", "adaptation", "task", "reason")]
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in texts)
    assert any(row["model"] == "'=cmd|' /C calc'!A0" for row in rows)


def test_names_are_text_in_markdown_and_latex(board, page, shown):
    board("s=-sentiment")
    _, path = saved(page, "Markdown")
    assert r"\<img src=x onerror=alert(1)\>" in path.read_text(encoding="utf-8")
    _, path = saved(page, "LaTeX")
    text = path.read_text(encoding="utf-8")
    assert r"\textless{}img src=x onerror=alert(1)\textgreater{}" in text
    assert r"\toprule" in text


def test_a_board_that_has_changed_meanwhile_is_told(board, page, shown):
    """The rows in sight are not those of the file then."""
    board("s=-sentiment")
    page.route("**/api/v1/boards/all.md", lambda route: route.fulfill(body="| another |"))
    page.get_by_role("button", name="Markdown", exact=True).click()
    page.locator(".notice", has_text="the board has changed").wait_for()
    page.unroute("**/api/v1/boards/all.md")
