import numpy as np
import pytest

from tianti.board.assemble import assemble
from tianti.board.item_scores import items_of_results, rank_items
from tianti.board.results import Items
from tianti.core.exceptions import InputError
from worlds import PERPLEXITY


def study(world):
    chances = {"best": 0.95, "near-a": 0.7, "near-b": 0.69, "worst": 0.3}
    return [
        world.result(model, task=task, chance=chance, seed=seed)
        for model, chance in chances.items()
        for task in ("sentiment", "topics")
        for seed in (0, 1)
    ]


def test_the_mean_ranks_as_the_board_does(world):
    board = assemble(study(world), "")
    found = rank_items(items_of_results(study(world)))
    assert found.family == board.family
    assert found.repeats == 2
    for entry, row in zip(board.entries, found.entries, strict=True):
        assert row.name == entry.name
        assert (row.rank, row.rank_low, row.rank_high) == (entry.rank, entry.rank_low, entry.rank_high)
        assert (row.value, row.low, row.high) == pytest.approx((entry.mean, entry.low, entry.high), abs=1e-8)
        assert (row.n, row.clusters, row.repeats) == (entry.n, entry.clusters, entry.repeats)
        for task, cell in entry.cells.items():
            assert row.cells[task].normalised == pytest.approx(cell.normalised, abs=1e-8)


def test_tasks_that_no_mean_is_made_of_are_named(world):
    world.metrics["topics"] = PERPLEXITY
    results = [
        world.result("m"),
        world.result("m", task="topics", value=12.0),
        world.failed("x", "y", "topics", "no"),
    ]
    found = items_of_results(results)
    assert [task.name for task in found.tasks] == ["sentiment"]
    assert found.excluded == (("topics", "its metric is no mean over samples"),)
    assert found.entries == ("m · zero-shot",)
    with pytest.raises(InputError, match="no run has scores per sample"):
        items_of_results([results[1]])


def test_gaps_clusters_and_items_in_any_order(world):
    one = Items(("2", "1"), np.array([1.0, 0.0]), ("p", "p"), 3)
    other = Items(("1", "3"), np.array([0.5, 1.0]), ("p", "q"), 1)
    results = [
        world.result("b", items=one), world.result("a", items=other), world.result("a", task="topics"),
    ]  # fmt: skip
    found = items_of_results(results)
    sentiment, topics = found.tasks
    assert found.entries == ("a · zero-shot", "b · zero-shot")
    assert (sentiment.names, sentiment.clusters) == (("1", "2", "3"), ("p", "p", "q"))
    assert np.array_equal(sentiment.values, [[0.5, np.nan, 1.0], [0.0, 1.0, np.nan]], equal_nan=True)
    assert sentiment.answers.tolist() == [[1, 0, 1], [3, 3, 0]]
    assert np.isnan(topics.values[1]).all()
