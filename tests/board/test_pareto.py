import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tianti.board.assemble import assemble
from tianti.board.board import Rules
from tianti.board.costs import COSTS
from tianti.board.entries import Price
from tianti.board.pareto import Member, as_json, front, near_front, pareto, render_front
from tianti.cli.application import application
from tianti.core.exceptions import UnknownNameError

# Few different numbers, so that costs and scores are often equal.
NUMBERS = st.integers(-3, 6).map(float)


def beats(one, other):
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12))
def test_the_front_is_what_no_other_beats(points):
    assert front(points) == [not any(beats(other, point) for other in points) for point in points]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12), st.randoms())
def test_order_does_not_matter_and_somebody_is_on_it(points, random):
    marks = dict(zip(points, front(points), strict=True))
    shuffled = random.sample(points, len(points))
    assert dict(zip(shuffled, front(shuffled), strict=True)) == marks
    assert any(marks.values())
    best = max(score for _, score in points)
    assert marks[min(cost for cost, score in points if score == best), best]


def board_of(world, rules=None):
    cheap = Price(0, 0.0, 3600.0, 0, 70, 0)
    dear = Price(1000, 3600.0, 3600.0, 500, 70, 40)
    return assemble(
        [
            world.result("m", "zero-shot", "sentiment", 0.6, price=cheap),
            world.result("m", "lora", "sentiment", 0.95, price=dear),
            world.result("m", "full", "sentiment", 0.3, price=replace(dear, trainable_parameters=9000)),
        ],
        "",
        rules or Rules(),
    )


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12), st.integers(0, 12))
def test_near_the_front_is_what_falls_least_short_of_it(points, others):
    def short(one):
        return max(score for cost, score in points if cost <= one[0]) - one[1]

    ordered = sorted(points, key=lambda point: (point[0], -point[1]))
    members = [
        Member(SimpleNamespace(mean=score, place=place), cost, on_front)
        for place, ((cost, score), on_front) in enumerate(zip(ordered, front(ordered), strict=True))
    ]
    kept = near_front(members, others)
    assert kept == [member for member in members if member in kept]
    rest = sorted(short((m.cost, m.entry.mean)) for m in members if not m.on_front)
    near = [m for m in kept if not m.on_front]
    assert sorted(short((m.cost, m.entry.mean)) for m in near) == rest[:others]
    assert len(kept) - len(near) == sum(front(points))


@pytest.mark.parametrize(
    ("cost", "costs"),
    [
        ("trained", [0, 1000, 9000]),
        ("examples", [0, 40, 40]),
        ("seconds", [3600.0, 7200.0, 7200.0]),
        ("tokens", [70, 570, 570]),
    ],
)
def test_entries_stand_in_the_order_of_their_cost_and_the_front_is_marked(world, cost, costs):
    found = pareto(board_of(world), cost)
    assert [member.entry.adaptation for member in found] == ["zero-shot", "lora", "full"]
    assert [member.cost for member in found] == costs
    assert [member.on_front for member in found] == [True, True, False]


def test_energy_is_seconds_times_the_stated_power_and_unknown_without_one(world):
    assert pareto(board_of(world), "energy") == []
    found = pareto(board_of(world, Rules(watts=150.0)), "energy")
    assert [member.cost for member in found] == [150.0, 300.0, 300.0]


def test_what_is_known_of_an_imported_entry_is_the_size_of_its_model(world):
    sizes = {"small": 10, "large": 1000, "unknown": None, "bad": 100}
    results = [
        replace(
            world.result(
                name, chance=0.3 if name == "bad" else 0.9 if name == "large" else 0.6, price=Price()
            ),
            model=world.model(name) | {"parameters": size},
            provenance="imported",
        )
        for name, size in sizes.items()
    ]
    found = pareto(assemble(results, ""), "parameters")
    assert [(m.entry.model, m.cost, m.on_front) for m in found] == [
        ("small", 10, True), ("bad", 100, False), ("large", 1000, True),
    ]  # fmt: skip
    assert "how large the models are" in str(render_front([], "parameters"))


def test_entries_that_lack_a_task_or_were_imported_are_left_out(world):
    results = [
        world.result("a", task="sentiment"),
        world.result("a", task="topics"),
        world.result("b", task="topics"),
    ]
    assert [member.entry.model for member in pareto(assemble(results, ""), "seconds")] == ["a"]
    imported = [replace(result, provenance="imported", price=Price()) for result in results]
    assert pareto(assemble(imported, ""), "seconds") == []
    assert set(COSTS) == {"parameters", "trained", "examples", "seconds", "tokens", "energy"}


def test_the_front_in_the_terminal(store, world):
    world.record(store, "a", "zero-shot", chance=0.6, learned={"trainable_parameters": 0})
    world.record(store, "a", "lora", chance=0.9, learned={"trainable_parameters": 5000})
    world.record(store, "a", "full", chance=0.3, learned={"trainable_parameters": 90_000})
    arguments = ["board", "--pareto", "trained", "--store", str(store.folder)]
    lines = CliRunner().invoke(application(), arguments).stdout.splitlines()
    rows = [line for line in lines if "a · " in line]
    assert [("★" in row, name in row) for row, name in zip(rows, ("zero-shot", "lora", "full"), strict=True)] == [
        (True, True), (True, True), (False, True),
    ]  # fmt: skip
    assert "90.0K" in rows[2]
    found = json.loads(CliRunner().invoke(application(), [*arguments, "--json"]).stdout)
    assert [member["on_front"] for member in found] == [True, True, False]
    assert [member["cost"] for member in found] == [0, 5000, 90_000]


def test_an_unknown_cost_and_one_that_is_not_known(world):
    board = board_of(world)
    with pytest.raises(UnknownNameError, match="token"):
        pareto(board, "token")
    assert "--watts" in str(render_front(pareto(board, "energy"), "energy"))
    assert as_json([]) == []
