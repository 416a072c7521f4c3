import json
from dataclasses import asdict, replace

import pytest
from statsmodels.stats.multitest import multipletests

from tianti.board.build import build_board
from tianti.board.compare import compare
from tianti.core.exceptions import UnknownNameError
from tianti.stats import TaskPair, paired_difference
from worlds import PERPLEXITY, World


def test_on_the_items_that_both_answered(store, world):
    for model, chance in (("a", 0.9), ("b", 0.6)):
        for task in ("sentiment", "topics"):
            world.record(store, model, task=task, chance=chance)
    world.record(store, "a", task="extra")
    board = build_board(store)
    found = compare(store, board, "a · zero-shot", "b-zero-shot")
    assert [row.task for row in found.tasks] == ["sentiment", "topics"]
    assert found.only == (("a · zero-shot", ("extra",)),)
    first = world.values("a", "zero-shot", "sentiment", None, 0.9)[:98]
    second = world.values("b", "zero-shot", "sentiment", None, 0.6)[:98]
    expected = paired_difference([TaskPair(first, second)], normalised=False)
    row = found.tasks[0]
    assert (row.n, row.wins, row.losses) == (98, expected.wins, expected.losses)
    assert row.difference == pytest.approx(expected.interval.estimate)
    assert row.p == pytest.approx(expected.p)
    assert row.low < row.difference < row.high
    # Normalised by chance 0.5, the differences count twice.
    assert found.overall.difference == pytest.approx(found.tasks[0].difference + found.tasks[1].difference)
    assert json.loads(json.dumps(asdict(found)))["first"] == "a · zero-shot"
    assert found.family == 2
    assert [row.p_holm for row in found.tasks] == pytest.approx(
        multipletests([row.p for row in found.tasks], method="holm")[1]
    )
    assert (row.test, row.method, row.repeats) == ("McNemar, score", "paired difference, t", 1)
    assert found.overall.p_holm is None
    assert found.overall.test == "paired score"


def test_swapping_turns_the_sign(store, world):
    world.record(store, "a", chance=0.9)
    world.record(store, "b", chance=0.6)
    board = build_board(store)
    there, back = (
        compare(store, board, "a-zero-shot", "b-zero-shot"),
        compare(store, board, "b-zero-shot", "a-zero-shot"),
    )
    assert there.overall.difference == -back.overall.difference
    assert there.overall.p == back.overall.p


def test_seeds_are_averaged(store, world):
    for seed in (0, 1):
        world.record(store, "a", "lora", seed=seed)
    world.record(store, "b", "lora", seed=0)
    board = build_board(store)
    found = compare(store, board, "a-lora", "b-lora")
    values = [world.values("a", "lora", "sentiment", seed, 0.7)[:98] for seed in (0, 1)]
    assert found.tasks[0].first == pytest.approx((values[0] + values[1]).mean() / 2)


def test_an_unknown_entry_names_the_nearest(store, world):
    world.record(store, "model-a")
    with pytest.raises(UnknownNameError, match="model-a · zero-shot"):
        compare(store, build_board(store), "model-a · zero", "x")


def test_perplexity_has_a_difference_without_interval(store):
    world = World(metrics={"sentiment": PERPLEXITY})
    world.record(store, "a")
    world.record(store, "b")
    found = compare(store, build_board(store), "a-zero-shot", "b-zero-shot")
    assert found.overall is None
    assert found.tasks[0].low is None
    assert not found.tasks[0].share
    assert replace(found.tasks[0], n=0) == found.tasks[0]
