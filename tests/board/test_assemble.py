import random

import numpy as np
import pytest

from tianti.board.assemble import assemble
from tianti.board.board import Board, Rules
from tianti.board.legend import legend
from tianti.board.results import Items
from tianti.stats import mean_interval, normalise, wilson
from worlds import PERPLEXITY, World


def study(world):
    """Four entries on two tasks: far apart, except for the two in the middle."""
    chances = {"best": 0.95, "near-a": 0.7, "near-b": 0.69, "worst": 0.3}
    return [
        world.result(model, task=task, chance=chance)
        for model, chance in chances.items()
        for task in ("sentiment", "topics")
    ]


def items(values, clusters=None):
    return Items(tuple(str(index) for index in range(len(values))), np.array(values, dtype=float), clusters)


def test_order_ranks_and_intervals(world):
    world.items = 300
    board = assemble(study(world), "demo")
    assert board.entries[0].model == "best"
    assert board.entries[-1].model == "worst"
    assert [entry.rank for entry in board.entries] == [1, 2, 3, 4]
    assert [(entry.rank_low, entry.rank_high) for entry in board.entries] == [(1, 1), (2, 3), (2, 3), (4, 4)]
    assert [entry.band for entry in board.entries] == [1, 2, 2, 3]
    assert board.family == 12
    assert board.columns[0].pairs == 6


def test_a_cell_is_the_metric_with_its_interval(world):
    board = assemble([world.result("m", items=items([1, 1, 0, 1]))], "")
    cell = board.entries[0].cells["sentiment"]
    assert cell.value == 0.75
    assert (cell.low, cell.high) == pytest.approx((wilson(3, 4).low, wilson(3, 4).high), rel=1e-9)
    assert cell.normalised == normalise(0.75, 0.5)
    assert (cell.rank, cell.rank_low, cell.rank_high) == (1, 1, 1)
    assert board.entries[0].mean == 0.5


def test_seeds_are_averaged_per_item_first(world):
    runs = [
        world.result("m", seed=0, items=items([1, 1, 0, 1])),
        world.result("m", seed=1, items=items([1, 0, 0, 1])),
    ]
    cell = assemble(runs, "").entries[0].cells["sentiment"]
    expected = mean_interval([1, 0.5, 0, 1])
    assert (cell.value, cell.n, cell.seeds) == (0.625, 4, (0, 1))
    assert (cell.low, cell.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert cell.by_seed == (0.75, 0.5)
    assert assemble(runs, "").entries[0].price.training_seconds == 2.0


def test_missing_is_missing_not_zero_and_not_ranked(world):
    results = [*study(world), world.result("half", task="sentiment", chance=0.99)]
    board = assemble(results, "")
    half = board.entries[-1]
    assert (half.model, half.rank, half.complete, half.tasks_done) == ("half", None, False, 1)
    assert half.mean > board.entries[0].mean
    assert "topics" not in half.cells
    assert half.cells["sentiment"].rank == 1
    assert board.family == 12


def test_failures_are_shown_with_their_reason(world):
    results = [
        *study(world),
        world.failed("bad", "lora", "topics", "it does not fit"),
        world.result("bad", "lora"),
    ]
    entry = next(entry for entry in assemble(results, "").entries if entry.model == "bad")
    cell = entry.cells["topics"]
    assert (cell.state, cell.value, cell.reason, cell.rank) == ("failed", None, "it does not fit", None)
    assert not entry.complete
    running = world.failed("slow", "lora", "topics", "", state="running")
    board = assemble([*study(world), running], "")
    assert next(e for e in board.entries if e.model == "slow").cells["topics"].state == "running"


@pytest.mark.parametrize("state", ["failed", "running"])
def test_a_task_without_any_score_is_missing_in_nobody_s_mean(world, state):
    refused = [
        world.failed(model, "zero-shot", "tags", "writes nothing", state=state)
        for model in ("best", "near-a", "near-b", "worst")
    ]
    without, board = assemble(study(world), ""), assemble([*study(world), *refused], "")
    assert [entry.rank for entry in board.entries] == [entry.rank for entry in without.entries]
    assert [entry.mean for entry in board.entries] == [entry.mean for entry in without.entries]
    assert {column.name: column.excluded for column in board.columns} == {
        "sentiment": "",
        "topics": "",
        "tags": "unanswered",
    }
    assert board.entries[0].cells["tags"].state == state
    said = " ".join(legend(board))
    assert "mean: over 2 tasks" in said
    assert "not in the mean: tags (acc: no entry has a score on it)" in said
    answered = world.result("best", task="tags")
    counted = assemble([*study(world), *refused[1:], answered], "")
    assert [entry.model for entry in counted.entries if entry.complete] == ["best"]


def test_where_nothing_has_a_score_every_task_counts(world):
    board = assemble([world.failed("a", "zero-shot", task, "no") for task in ("sentiment", "topics")], "")
    assert [column.excluded for column in board.columns] == ["", ""]
    assert board.entries[0].rank is None


def test_one_failed_seed_keeps_the_others(world):
    results = [world.result("m", seed=0), world.failed("m", "zero-shot", "sentiment", "out of memory")]
    cell = assemble(results, "").entries[0].cells["sentiment"]
    assert (cell.state, cell.reason, cell.seeds) == ("ok", "out of memory", (0,))


def test_nothing_scored_is_empty(world):
    nothing = world.result(
        "m", items=None, value=0.0, score=world.score(None, "sentiment", errors=7, skipped=2)
    )
    cell = assemble([nothing], "").entries[0].cells["sentiment"]
    assert (cell.state, cell.value, cell.errors, cell.skipped) == ("empty", None, 7, 2)


def test_perplexity_has_a_place_and_no_part_in_the_mean():
    world = World(metrics={"text": PERPLEXITY})
    results = [
        *study(world),
        world.result("best", task="text", value=30.0),
        world.result("worst", task="text", value=20.0),
    ]
    board = assemble(results, "")
    text = board.columns[-1]
    assert (text.name, text.counts, text.excluded) == ("text", False, "ratio")
    assert all(entry.complete for entry in board.entries)
    by_model = {entry.model: entry for entry in board.entries}
    assert by_model["worst"].cells["text"].rank == 1
    assert by_model["worst"].cells["text"].rank_low is None
    assert by_model["worst"].cells["text"].low == pytest.approx(18)
    assert by_model["best"].rank == 1


def test_a_board_of_perplexity_alone_is_ranked_by_it():
    world = World(metrics={"text": PERPLEXITY})
    board = assemble([world.result(m, task="text", value=v) for m, v in (("a", 30.0), ("b", 20.0))], "")
    assert [(entry.model, entry.rank, entry.mean) for entry in board.entries] == [
        ("b", 1, None),
        ("a", 2, None),
    ]


@pytest.mark.parametrize(
    ("metric", "values", "reason"),
    [
        (
            {"name": "brier", "higher_is_better": False, "chance": None, "scale": "mean"},
            [0.1, 0.3],
            "lower",
        ),
        (
            {"name": "bleu", "higher_is_better": True, "chance": None, "scale": "mean"},
            [12.0, 30.0],
            "range",
        ),
        (
            {"name": "odd", "higher_is_better": True, "chance": 1.0, "scale": "mean"},
            [0.5, 0.1],
            "chance",
        ),
    ],
)
def test_what_cannot_be_averaged_says_why(metric, values, reason):
    world = World(metrics={"task": metric})
    results = [world.result("m", task="task", items=items(values)), *study(world)]
    column = assemble(results, "").columns[-1]
    assert column.name == "task"
    assert column.excluded == reason


def test_lower_is_better_ranks_the_lower_first():
    world = World(
        metrics={"task": {"name": "brier", "higher_is_better": False, "chance": None, "scale": "mean"}}
    )
    rng = np.random.default_rng(0)
    low, high = rng.random(200) * 0.2, 0.5 + rng.random(200) * 0.2
    board = assemble(
        [
            world.result("good", task="task", items=items(low)),
            world.result("bad", task="task", items=items(high)),
        ],
        "",
    )
    cells = {entry.model: entry.cells["task"] for entry in board.entries}
    assert (cells["good"].rank_low, cells["good"].rank_high) == (1, 1)
    assert (cells["bad"].rank_low, cells["bad"].rank_high) == (2, 2)


def test_clusters_widen_the_interval(world):
    values = np.repeat([1, 0, 1, 1, 0, 1, 0, 0, 1, 1], 10)
    clusters = tuple(str(index // 10) for index in range(100))
    plain = assemble([world.result("m", items=items(values))], "").entries[0]
    robust = assemble([world.result("m", items=items(values, clusters))], "").entries[0]
    assert robust.cells["sentiment"].clusters == 10
    assert robust.high - robust.low > 2 * (plain.high - plain.low)


def test_larger_samples_stand_in_for_smaller_ones(world):
    results = [
        world.result("a", limit=10),
        world.result("a", limit=None),
        world.result("b", limit=10),
        world.result("b", limit=50),
        world.failed("c", "zero-shot", "sentiment", "broken"),
    ]
    board = assemble(results, "")
    by_model = {entry.model: entry for entry in board.entries}
    assert board.columns[0].limit is None
    assert board.left_out == 3
    assert by_model["a"].cells["sentiment"].n == 100
    assert "b" not in by_model
    assert by_model["c"].cells["sentiment"].state == "failed"


def test_the_newest_of_two_runs_of_a_cell_counts(world):
    first, second = world.result("a", chance=0.2), world.result("a", chance=0.9)
    for results in ([first, second], [second, first]):
        board = assemble(results, "")
        assert board.entries[0].cells["sentiment"].run_ids == (second.run_id,)
        assert board.left_out == 1


def test_same_names_of_different_things_are_told_apart(world):
    first, second = world.result("a"), world.result("a")
    second.model["fingerprint"] = "0" * 64
    second.task["fingerprint"] = "1" * 64
    board = assemble([first, second], "")
    assert len({entry.name for entry in board.entries}) == 2
    assert "a #000000" in [entry.model for entry in board.entries]
    assert "sentiment #111111" in [column.name for column in board.columns]
    assert all(not entry.complete for entry in board.entries)


def test_the_order_of_the_results_changes_nothing(world):
    results = study(world)
    first = assemble(results, "demo")
    for seed in range(3):
        shuffled = random.Random(seed).sample(results, len(results))
        assert assemble(shuffled, "demo").snapshot == first.snapshot


def test_missing_answers_of_one_entry_keep_its_place_inside_its_interval(world):
    # On the items that both answered the first is worse, over all its items it is better.
    first = Items(("a", "b", "c", "d"), np.array([0.0, 0, 1, 1]))
    second = Items(("a", "b"), np.array([0.0, 1]))
    results = [world.result("first", items=first), world.result("second", items=second)]
    for entry in assemble(results, "").entries:
        assert entry.rank_low <= entry.rank <= entry.rank_high


def test_an_empty_board(world):
    board = assemble([], "")
    assert (board.entries, board.columns, board.family) == ((), (), 0)


def test_the_first_knows_that_it_was_picked_and_how_firm_it_stands(world):
    world.items = 300
    board = assemble(study(world), "")
    best, winner = board.entries[0], board.winner
    assert (winner.entry, winner.mean, winner.candidates) == (best.name, best.mean, 4)
    assert winner.low < best.low < best.high < winner.high
    assert winner.challenger in {entry.name for entry in board.entries[1:3]}
    assert winner.items > 20
    assert not winner.exact
    one_task = assemble([result for result in study(world) if result.task["name"] == "topics"], "")
    assert one_task.winner.exact
    assert assemble([world.result("alone")], "").winner is None


def test_the_rank_of_one_entry_alone_is_never_wider(world):
    world.items = 120
    results = [world.result(f"m{index}", chance=0.8 - 0.05 * index) for index in range(8)]
    entries = assemble(results, "").entries
    assert all(e.rank_low <= e.marginal_low <= e.rank <= e.marginal_high <= e.rank_high for e in entries)
    assert any(e.marginal_high - e.marginal_low < e.rank_high - e.rank_low for e in entries)


def test_rules_choose_the_intervals_and_the_correction(world):
    results = study(world)
    usual = assemble(results, "")
    other = assemble(results, "", Rules(level=0.9, intervals="clopper-pearson", ranks="max-t", seed=3))
    assert usual.rules == Rules()
    assert other.rules.ranks == "max-t"
    first, second = usual.entries[0].cells["topics"], other.entries[0].cells["topics"]
    assert (first.method, second.method) == ("Wilson", "Clopper–Pearson")
    assert second.high - second.low < first.high - first.low
    assert (first.repeats, first.target) == (1, "new items of the same kind")
    assert Board.from_json(other.to_json()) == other
    # Clopper–Pearson is for shares of independent items only; others keep what is right for them.
    clustered = [world.result("m", items=items([1, 0, 1, 1, 0, 1], ("a", "a", "b", "b", "c", "c")))]
    assert (
        assemble(clustered, "", Rules(intervals="clopper-pearson")).entries[0].cells["sentiment"].method
        == "CR1·t"
    )


def test_a_number_says_what_it_rests_on(world):
    runs = [world.result("m", seed=seed, items=items([1, 0, 1, seed % 2])) for seed in (0, 1, 2)]
    entry = assemble(runs, "").entries[0]
    assert (entry.cells["sentiment"].n, entry.cells["sentiment"].repeats) == (4, 3)
    assert (entry.n, entry.repeats, entry.clusters) == (4, 3, None)
    assert entry.target == "these tasks, new items of the same kind"
