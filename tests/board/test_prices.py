"""What an entry took: 0 where nothing was trained, None where nobody stated it."""

import csv
import io
import json
from dataclasses import astuple

import pytest

from result_files import write_all
from tianti.board import Price
from tianti.board.assemble import assemble
from tianti.board.board import Board, Rules
from tianti.board.build import build_board
from tianti.board.costs import COSTS
from tianti.board.cut import QUANTITIES, cut
from tianti.board.filters import read
from tianti.board.importers.add import import_files
from tianti.board.pareto import pareto
from tianti.board.prices import mean_price, whole_price

UNTRAINED = Price(0, 0.0, 1.0, 0, 70, 0)


def test_what_one_run_does_not_say_is_not_known_of_all():
    one, other = Price(10, 1.0, 2.0, 30, 40, 5), Price(20, 2.0, 4.0, None, 50, 6)
    assert mean_price([one, other]) == Price(20, 1.5, 3.0, None, 45, 6)
    assert whole_price([one, other], 3600.0) == Price(20, 3.0, 6.0, None, 90, 11, 9.0)
    assert whole_price([one, Price()], 3600.0) == whole_price([], 100.0) == Price()
    assert mean_price([]) is None


def test_a_measured_zero_stays_and_a_task_that_failed_takes_nothing_away(world):
    results = [
        world.result("m", "zero-shot", "sentiment", price=UNTRAINED),
        world.failed("m", "zero-shot", "topics", "out of memory"),
        world.failed("broken", "zero-shot", "topics", "out of memory"),
    ]
    good, broken = assemble(results, "", Rules(watts=3600.0)).entries
    assert good.price == Price(0, 0.0, 1.0, 0, 70, 0, 1.0)
    assert broken.price == Price()
    assert (broken.cells["topics"].n, broken.cells["topics"].errors) == (None, None)


def test_runs_that_did_not_count_their_examples_have_none(store, world):
    world.record(store, "m")
    (entry,) = build_board(store).entries
    assert entry.price == Price(10, 1.5, 0.5, 9, 100, None)
    assert entry.cells["sentiment"].errors == 1


@pytest.mark.parametrize("kind", ["v1", "v2", "mteb", "livebench", "old", "samples"])
def test_nobody_stated_what_an_imported_entry_took(store, tmp_path, kind):
    import_files(store, [write_all(tmp_path / "files")[kind]])
    board = build_board(store, rules=Rules(watts=100.0))
    # A model's size is no cost of its runs: Open LLM Leaderboard v2 states it.
    paid = [cost for cost in COSTS if cost != "parameters"]
    for entry in board.entries:
        assert set(astuple(entry.price)) == {None}
        assert [QUANTITIES[cost](entry) for cost in paid] == [None] * len(paid)
        for cell in entry.cells.values():
            assert (cell.errors, cell.skipped, cell.seeds, cell.by_seed) == (None, None, (), ())
            assert (cell.n is None) == (kind in ("v1", "v2", "mteb", "old"))
    assert [pareto(board, cost) for cost in paid] == [[]] * len(paid)
    assert cut(board, read("f=seconds:ge:0")).board.entries == ()
    assert cut(board, read("s=-trained")).board.entries == board.entries
    assert Board.from_json(board.to_json()) == board
    unknown = ("errors", "skipped", "seeds", "trainable_parameters", "training_seconds", "evaluation_seconds")
    for row in csv.DictReader(io.StringIO(board.to_csv())):
        assert [row[name] for name in unknown] == [""] * len(unknown)
    table = board.to_arrow()
    assert [table[name].null_count for name in unknown] == [table.num_rows] * len(unknown)
    assert {
        value for entry in json.loads(board.to_json())["entries"] for value in entry["price"].values()
    } == {None}
