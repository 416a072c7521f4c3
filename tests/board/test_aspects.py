import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from tianti.board.aspects import chosen_aspects
from tianti.board.assemble import assemble
from tianti.board.board import Board, Rules
from tianti.board.entries import AspectColumn
from tianti.board.results import Items
from tianti.board.show import arrow, best
from tianti.board.terminal import render
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.tasks.metrics import METRICS, aspect_of
from worlds import World


def text(renderable, width=120):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def further(world, metric, value, **changes):
    facts = {"metric": metric, "main": False, "higher_is_better": False, "scale": "ratio", "method": "BCa"}
    return world.score(value, "sentiment", **(facts | changes))


def results(world):
    found = []
    for model, chance, error in (("good", 0.9, 0.05), ("bad", 0.4, 0.2)):
        aspects = (further(world, "ece", error), further(world, "brier", 2 * error, scale="mean"))
        found += [
            world.result(model, task="nano/sentiment", chance=chance, aspects=aspects),
            world.result(model, task="nano/qa", chance=chance),
        ]
    return found


def test_further_metrics_are_columns_and_change_nothing_else(world):
    board = assemble(results(world), "")
    assert [(c.name, c.task, c.aspect, c.counts) for c in board.aspects] == [
        ("nano/sentiment · ece", "nano/sentiment", "calibration", False),
        ("nano/sentiment · brier", "nano/sentiment", "calibration", False),
    ]
    cell = board.entry("good · zero-shot").aspects["nano/sentiment · ece"]
    assert (cell.value, cell.method, cell.n) == (0.05, "BCa", world.items)
    assert (cell.low, cell.high) == (pytest.approx(0.045), pytest.approx(0.055))
    assert len(board.columns) == 2
    assert all(len(entry.cells) == 2 for entry in board.entries)


def test_ranks_means_and_cells_are_those_of_a_board_without(world):
    with_them = assemble(results(World()), "")
    without = assemble([replace(result, aspects=()) for result in results(World())], "")
    assert without.aspects == ()
    for one, other in zip(with_them.entries, without.entries, strict=True):
        assert (one.rank, one.mean, one.cells, one.rank_low) == (
            other.rank,
            other.mean,
            other.cells,
            other.rank_low,
        )
    assert with_them.columns == without.columns


def test_a_board_with_them_is_read_back(world):
    board = assemble(results(world), "")
    again = Board.from_json(board.to_json())
    assert again == board
    assert isinstance(again.aspects[0], AspectColumn)


def test_seeds_are_averaged_and_other_levels_have_no_interval(world):
    runs = [
        world.result("m", seed=seed, aspects=(further(world, "ece", value),))
        for seed, value in ((0, 0.1), (1, 0.3))
    ]
    cell = assemble(runs, "").entries[0].aspects["sentiment · ece"]
    assert (cell.value, cell.low, cell.by_seed, cell.seeds) == (
        pytest.approx(0.2),
        pytest.approx(0.18),
        (0.1, 0.3),
        (0, 1),
    )
    other = assemble(runs, "", Rules(level=0.9)).entries[0].aspects["sentiment · ece"]
    assert (other.value, other.low, other.high) == (pytest.approx(0.2), None, None)


def test_the_terminal_shows_those_that_are_asked_for(world):
    board = assemble(results(world), "")
    assert "ece" not in text(render(board))
    shown = text(render(board, ["ece"]))
    assert "ece" in shown.splitlines()[1]
    assert "5.0 ±0.5" in shown
    assert "brier" not in shown
    assert "further metrics (↑ higher, ↓ lower is better; no part of mean or rank): ece ↓" in shown
    both = text(render(board, ["all"]))
    assert "0.1 ±0.01" in both
    assert "brier ↓" in both


@pytest.mark.parametrize("width", [80, 100, 140])
def test_what_is_asked_for_by_name_stands_there_with_its_interval_in_a_narrow_terminal(world, width):
    tasks = ["nano/sentiment", "nano/bias-names", "nano/bias-gender", "nano/bias-nationality"]
    gaps = {
        task: further(world, "counterfactual_gap", 0.051 + 0.1 * tasks.index(task)) for task in tasks[1:3]
    }
    runs = [
        world.result("nano:llama", adaptation, task, aspects=(gaps[task],) if task in gaps else ())
        for adaptation in ("zero-shot", "lora from nano/sentiment")
        for task in tasks
    ]
    shown = text(render(assemble(runs, ""), ["counterfactual_gap"]), width)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert shown.count("gap") >= 3  # two headings, and the line below
    assert shown.count("15.1 ±1.5") == shown.count("25.1 ±2.5") == 2
    assert ("do not fit here" in shown) == (width < 140)


def test_a_metric_of_which_0_is_best_has_no_arrow(world):
    run = world.result("m", aspects=(further(world, "counterfactual_gap", -0.3),))
    board = assemble([run], "")
    (column,) = board.aspects
    assert (arrow(column), best(column)) == ("", "near")
    shown = text(render(board, ["all"]))
    assert "no part of mean or rank): counterfactual_gap (0 is best)" in shown
    assert "↓" not in shown.replace("↓ lower", "")


def test_where_0_is_best_the_distance_from_it_ranks():
    gap = {"name": "counterfactual_gap", "higher_is_better": False, "chance": None, "scale": "mean"}
    world = World(metrics={"pairs": gap})
    values = {"far": -0.3, "near": -0.01, "between": 0.1}
    runs = [
        world.result(name, task="pairs", items=Items(("0", "1"), np.array([value, value])), value=value)
        for name, value in values.items()
    ]
    board = assemble(runs, "")
    ranks = {entry.model: entry.cells["pairs"].rank for entry in board.entries}
    assert ranks == {"near": 1, "between": 2, "far": 3}
    assert all(entry.cells["pairs"].rank_low is None for entry in board.entries)
    assert (board.columns[0].excluded, arrow(board.columns[0])) == ("range", "")


def test_metrics_that_no_run_measured_are_told(world):
    board = assemble(results(world), "")
    with pytest.raises(UnknownNameError, match="'brier'"):
        chosen_aspects(board.aspects, ["brie"])
    plain = assemble([world.result("m")], "")
    with pytest.raises(InputError, match="metric_list"):
        render(plain, ["ece"])
    assert chosen_aspects(plain.aspects, ["all"]) == []


def test_what_a_metric_is_about_is_known_by_its_name():
    assert aspect_of("brier") == aspect_of("brier_score") == "calibration"
    assert aspect_of("acc") == aspect_of("something of lm-eval") == ""
    assert {rule.aspect for rules in METRICS.values() for rule in rules} >= {"", "calibration"}
