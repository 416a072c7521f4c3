"""What pages, API, exported files and terminal say of any board is the same."""

import contextlib
import html
import io
import json
import re
import tempfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tianti.board import Board
from tianti.board.formats import FORMATS
from tianti.board.show import cell_text, difference, mean_text, place_text, rank_text
from tianti.board.snapshot import take_snapshot
from tianti.cli import main
from tianti.store import Store
from tianti.web.app import make_app
from tianti.web.export import write_site
from worlds import PERPLEXITY, World

TASKS = ("sentiment", "topics", "texts")
names = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=10).filter(str.strip)
studies = st.dictionaries(
    st.tuples(names, st.sampled_from(["zero-shot", "lora", "full"])),
    st.dictionaries(st.sampled_from(TASKS), st.one_of(st.none(), st.floats(0.05, 0.95)), min_size=1),
    min_size=1,
    max_size=5,
)
"""The chance of being right by entry and task; None where the run failed."""


def cells_of(text):
    """The text of each cell of each row of the first table, with single spaces, without drawings and small print."""
    body = re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)[1]
    body = re.sub(
        r"<svg.*?</svg>|<small.*?</small>|<span class=\"band\">.*?</span>", "", body, flags=re.DOTALL
    )
    return [
        [
            html.unescape(" ".join(re.sub(r"<[^>]*>", "", cell).split()))
            for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def check_cells(board, rows):
    """The rows of a page are the entries of the board, with their ranks, means and scores."""
    assert len(rows) == len(board.entries)
    for entry, row in zip(board.entries, rows, strict=True):
        assert row[0] == rank_text(entry.rank_low, entry.rank_high, entry.rank)
        assert row[1:3] == [" ".join(entry.model.split()), entry.adaptation]
        assert row[3] == mean_text(entry)
        for column, text in zip(board.columns, row[4:], strict=False):
            cell = entry.cells.get(column.name)
            if cell is not None and cell.state == "ok":
                assert text.rstrip("*") == cell_text(cell, column)
            else:
                assert not re.search(r"[0-9]", text)


def check_rows(board, text):
    """The terminal shows each entry's place and mean, in the order of the board."""
    places = [place_text(entry) for entry in board.entries]
    means = [mean_text(entry) for entry in board.entries]
    rows = [
        (place, mean)
        for line in text.splitlines()
        for place, mean in zip(places, means, strict=True)
        if line.strip().startswith(f"{place} ")
        and f" {mean} " in f"{line} ".replace("(", " ").replace(")", " ")
    ]
    assert [pair for pair in zip(places, means, strict=True) if pair not in rows] == []


def check_comparisons(board, store, client, folder):
    """Terminal, API, page and export tell the same of the first two entries."""
    for one, other in list(pairwise(board.entries))[:1]:
        said = json.loads(printed("compare", one.name, other.name, "--json", "--store", store.folder))
        text = client.get(f"/api/v1/compare/all/{one.id}~{other.id}.json").text
        assert json.loads(text)["comparisons"] == [said]
        assert text == (folder / f"api/v1/compare/all/{one.id}~{other.id}.json").read_text(encoding="utf-8")
        page = client.get(f"/en/compare/all/{one.id}~{other.id}/").text
        shown = {row[0].removesuffix(" ↓"): row[3] for row in cells_of(page)} if said["tasks"] else {}
        assert shown == {
            task["task"]: difference(task["difference"], task["share"]) for task in said["tasks"]
        }


def check_items(board, store, client, folder):
    """What is said of the samples of a task follows from the answers of its runs."""
    for column in board.columns:
        name = f"api/v1/tasks/{column.name}/items.json"
        assert client.get(f"/{name}").text == (folder / name).read_text(encoding="utf-8")
        values = defaultdict(list)
        for entry in board.entries:
            for run_id in entry.cells[column.name].run_ids if column.name in entry.cells else ():
                if column.scale != "ratio" and entry.cells[column.name].value is not None:
                    for answer in store.answers(run_id):
                        if answer.state == "ok":
                            values[answer.sample_id].append(answer.values[column.metric])
        told = client.get(f"/{name}").json()["samples"] or []
        assert {each["name"]: (each["mean"], each["entries"]) for each in told} == {
            sample: (pytest.approx(sum(own) / len(own)), len(own)) for sample, own in values.items()
        }


def printed(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        main([*map(str, arguments)])
    return said.getvalue()


@settings(max_examples=10)
@given(studies)
def test_pages_api_export_and_terminal_agree(study):
    world = World(items=12, languages={"topics": "zh"}, metrics={"texts": PERPLEXITY})
    with tempfile.TemporaryDirectory() as name, Store(Path(name) / "store") as store:
        for (model, adaptation), chances in study.items():
            for task, chance in chances.items():
                if chance is None:
                    world.record_failure(store, model, adaptation, task, "out of memory")
                else:
                    world.record(store, model, adaptation, task, chance)
        snapshot = take_snapshot(store)
        index = write_site(snapshot, store, Path(name) / "site", samples=0)
        text = printed("board", "--json", "--store", store.folder)
        board = Board.from_json(text)
        assert board == snapshot.board
        with TestClient(make_app(snapshot, store)) as client:
            assert client.get("/api/v1/boards/all.json").text == text.removesuffix("\n")
            for ending in FORMATS:
                file = Path(name) / f"board.{ending}"
                printed("board", "--output", file, "--store", store.folder)
                exported = (index.parent / f"api/v1/boards/all.{ending}").read_bytes()
                assert client.get(f"/api/v1/boards/all.{ending}").content == exported == file.read_bytes()
            check_rows(board, printed("board", "--columns", "mean", "--store", store.folder))
            for page in ("en/b/all/", "zh/b/all/", "en/b/all/p/1/"):
                check_cells(board, cells_of(client.get(f"/{page}").text))
                check_cells(board, cells_of((index.parent / page / "index.html").read_text(encoding="utf-8")))
            check_comparisons(board, store, client, index.parent)
            check_items(board, store, client, index.parent)
