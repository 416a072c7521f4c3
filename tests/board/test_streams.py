"""The figures of a stream against a matrix worked out by hand, and boards that show its last stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tianti.adapt import Continual
from tianti.board.results import Items, Result, last_stages
from tianti.board.streams import Stream, as_json, streams
from tianti.board.terminal_streams import render_streams
from worlds import World

TASKS = ("a", "b", "c")
# Of ten items: rows are the stages 0 to 3, columns the tasks.
PLAIN = ((5, 4, 3), (9, 5, 3), (6, 8, 4), (4, 7, 9))
REPLAY = ((5, 4, 3), (9, 5, 3), (8, 8, 4), (8, 7, 8))


def _runs(world: World, strategy: str, matrix: Any, *, stages: Any = (0, 1, 2, 3)) -> list[Result]:
    stream = [{"name": task, "fingerprint": world.task(task)["fingerprint"]} for task in TASKS]
    found = []
    for stage in stages:
        method, policy = ("full", "plain") if stage == 0 else ("lora", strategy)
        made = Continual(method=method, strategy=policy, stream=TASKS, stage=stage)
        adaptation = {"name": "continual", "label": made.label, "settings": made.in_full, "stream": stream}
        for task, right in zip(TASKS, matrix[stage], strict=True):
            values = np.array([1.0] * right + [0.0] * (10 - right))
            items = Items(tuple(f"{task}{index}" for index in range(10)), values)
            result = world.result("m", task=task, items=items, seed=0)
            found.append(replace(result, adaptation=adaptation))
    return found


def _world_runs(*given: tuple[str, Any]) -> list[Stream]:
    world = World()
    results: list[Result] = []
    for number, (strategy, matrix) in enumerate(given):
        results += _runs(world, strategy, matrix, stages=(0, 1, 2, 3) if number == 0 else (1, 2, 3))
    return streams(results)


def test_the_figures_of_a_matrix_worked_out_by_hand() -> None:
    (found,) = _world_runs(("plain", PLAIN))
    assert found.matrix == tuple(tuple(value / 10 for value in row) for row in PLAIN)
    estimates = {
        name: getattr(found, name).estimate
        for name in ("average", "backward", "forward", "forgetting_first", "forgetting_best", "learning")
    }
    assert estimates == pytest.approx(
        {
            "average": (4 + 7 + 9) / 30,
            "backward": ((4 - 9) + (7 - 8)) / 20,
            "forward": ((5 - 4) + (4 - 3)) / 20,
            "forgetting_first": ((9 - 4) + (8 - 7)) / 20,
            "forgetting_best": ((9 - 4) + (8 - 7)) / 20,
            "learning": (9 + 8 + 9) / 30,
        }
    )
    assert found.less_forgotten is None
    assert found.missing == 0


def test_a_cell_that_is_missing_leaves_the_figures_out() -> None:
    world = World()
    results = _runs(world, "plain", PLAIN)
    (found,) = streams(results[:-1])
    assert found.missing == 1
    assert found.matrix[3] == (0.4, 0.7, None)
    assert found.average is None


def test_how_well_tasks_are_told_apart_is_shown_where_a_strategy_does() -> None:
    world = World()
    shares = {"a": 1.0, "b": 0.8, "c": 0.75}
    runs = [
        replace(run, router_accuracy=shares[run.task["name"]])
        for run in _runs(world, "adapters", PLAIN, stages=(1, 2, 3))
        if TASKS.index(run.task["name"]) + 1 == run.adaptation["settings"]["stage"]
    ]
    plain, routed = streams([*_runs(world, "plain", PLAIN), *runs])
    assert plain.router_accuracy is None
    assert routed.router_accuracy == pytest.approx(0.85)
    assert routed.average is not None
    assert "sends 85.0 % of held-out examples" in _printed([plain, routed])
    assert "router" not in _printed([plain])
    assert as_json([plain, routed])[1]["router_accuracy"] == pytest.approx(0.85)
    (unknown, _) = streams(runs[:-1] + _runs(world, "plain", PLAIN))
    assert unknown.router_accuracy is None


def _printed(found: list[Stream]) -> str:
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(render_streams(found))
    return " ".join(captured.get().split())


def test_the_one_stage_of_joint_training_is_called_all_tasks() -> None:
    (found,) = streams(_runs(World(), "joint", PLAIN, stages=(0, 3)))
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(render_streams([found], matrix=True))
    rows = [line.split("  ")[0].strip() for line in captured.get().splitlines()]
    assert rows[-3:-1] == ["nothing", "all tasks"]


def test_what_was_refused_is_missing_with_its_reason_and_took_nothing_that_is_known() -> None:
    world = World()
    refused = [
        replace(
            result, state="failed", score=None, items=None, reason="generative does not fit m\nuse replay"
        )
        for result in _runs(world, "generative", PLAIN, stages=(1, 2, 3))
    ]
    _, found = streams(_runs(world, "plain", PLAIN) + refused)
    assert (found.training_seconds, found.added_memory_bytes, found.kept_bytes) == (None, None, None)
    assert found.reasons == ("generative does not fit m\nuse replay",)
    text = _printed([found])
    assert "m · lora · generative – – – – –" in text
    assert "m · lora · generative – – – – –" in text.split("MB")[-1]
    assert "✗ m · lora · generative: generative does not fit m" in text


def test_a_board_shows_the_last_stage_and_counts_its_training_once() -> None:
    results = last_stages(_runs(World(), "plain", PLAIN))
    assert [(result.task["name"], result.adaptation["label"]) for result in results] == [
        (task, "continual(method=lora, strategy=plain)") for task in TASKS
    ]
    assert len({result.entry_key for result in results}) == 1
    assert [result.price.training_seconds for result in results] == [0.0, 0.0, 2.0]


def test_in_the_terminal_and_as_json() -> None:
    found = _world_runs(("plain", PLAIN))
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(render_streams(found))
        console.print(render_streams(found, matrix=True))
    text = captured.get()
    for part in (
        "stream: a → b → c",
        "66.7",
        "-30.0",
        "forgets (best)",
        "Chaudhry",
        "memory: the most",
        "3: c",
    ):
        assert part in text
    (content,) = as_json(found)
    assert content["forgetting_first"]["estimate"] == pytest.approx(0.3)
    assert "just after" in content["definitions"]["forgetting_first"]
