import io
import re

import pytest
from rich.console import Console

from tianti.board.assemble import assemble
from tianti.board.compare import Comparison, Difference
from tianti.board.filters import read
from tianti.board.show import place_text
from tianti.board.terminal import render
from tianti.board.terminal_pairs import render_comparison
from worlds import World


def text(renderable, width=120):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def board(tasks, world=None):
    world = world or World()
    entries = [
        ("nano:llama", "lora", 0.9),
        ("nano:llama", "few-shot(k=4)", 0.75),
        ("nano:llama-untrained", "full", 0.5),
    ]
    return assemble(
        [world.result(m, a, task, chance) for m, a, chance in entries for task in tasks], "which way to adapt"
    )


def test_ranks_scores_and_legend():
    shown = text(render(board(["nano/sentiment", "nano/qa"])))
    lines = shown.splitlines()
    assert "which way to adapt" in lines[0]
    assert "±" in lines[3]
    assert "nano:llama" in shown
    assert "half of the 95% interval" in shown
    assert "Holm" in shown
    # The folder that all tasks share is not repeated in the headings.
    assert "nano/" not in "".join(lines[:3])


@pytest.mark.parametrize("count", [1, 2, 4, 6, 8, 12, 30])
def test_fits_the_width_with_every_number_whole(count):
    made = board([f"nano/task{index}-zh" for index in range(count)])
    shown = text(render(made))
    assert max(map(len, shown.splitlines())) <= 120
    assert "…" not in shown
    assert "nano:llama-untrained" in shown
    assert "few-shot(k=4)" in shown
    if count == 30:
        assert "more tasks do not fit" in shown


def test_what_is_missing_is_explained():
    world = World()
    results = [world.result("a", task=task) for task in ("sentiment", "topics")]
    results += [
        world.result("b", score=world.score(0.7, "sentiment", errors=3, skipped=2)),
        world.failed("b", "zero-shot", "topics", "it does not fit\nsecond line"),
    ]
    shown = text(render(assemble(results, "")))
    assert "3 answers in error, 2 skipped" in shown
    assert "✗ b · zero-shot on topics: it does not fit" in shown
    assert "second line" not in shown
    assert "fewer than 2 tasks" in shown
    row = next(line for line in shown.splitlines() if line.strip().startswith("–"))
    assert "(" in row
    assert "*" in row


def test_one_task_without_a_score_is_not_called_fewer_than_one():
    shown = text(render(assemble([World().failed("b", "zero-shot", "topics", "it does not fit")], "")))
    assert "–: no score on the task that makes up the mean, so not ranked." in shown
    assert "fewer than" not in shown


def test_one_is_singular():
    world = World()
    results = [
        world.result("a", limit=10),
        world.result("a", score=world.score(0.7, "sentiment", errors=1)),
    ]
    shown = text(render(assemble(results, "")))
    assert "1 answer in error, 0 skipped" in shown
    assert "1 finished run left out" in shown


def test_a_board_prints_as_its_table_without_colours(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    made = board(["nano/sentiment", "nano/qa"])
    lines = str(made).splitlines()
    assert lines[0] == "which way to adapt"
    assert [" ".join(line.split()[:3]) for line in lines[:5] if "nano:llama " in line] == [
        f"{entry_place(made, name)} nano:llama" for name in ("lora", "few-shot(k=4)")
    ]
    assert "\x1b" not in str(made)
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith(" ") for line in lines)
    assert "nothing has been run yet" in str(assemble([], ""))


def entry_place(made, adaptation):
    return place_text(made.entry(f"nano:llama · {adaptation}"))


def test_an_empty_board_says_so():
    assert "empty" in text(render(assemble([], "")))


def test_markup_in_names_is_text():
    shown = text(render(assemble([World().result("[bold]evil[/bold]")], "[red]x[/red]")))
    assert "[bold]evil[/bold]" in shown
    assert "[red]x[/red]" in shown


def test_a_comparison():
    rows = (
        Difference("a", 0.7, 0.6, 0.1, 0.02, 0.18, 0.0004, 20, 5, 100),
        Difference("text", 20.0, 30.0, -10.0, share=False, higher_is_better=False),
    )
    overall = Difference("mean", 0.4, 0.2, 0.2, 0.04, 0.36, 0.01, 20, 5, 100)
    shown = text(
        render_comparison(Comparison("x · lora", "y · full", 0.95, rows, overall, (("x · lora", ("b",)),)))
    )
    assert "+10.0" in shown
    assert "< 0.001" in shown
    assert "+2.0 … +18.0" in shown
    assert "-10" in shown
    assert "Only x · lora has: b" in shown


def test_a_comparison_has_whole_headings_and_numbers_in_80_columns():
    name = "nano/bias-nationality-zh"
    row = Difference(name, 0.985, 1.0, -0.015, -0.1025, 0.1025, 1e-4, 20, 5, 0.0042, 12345)
    shown = text(render_comparison(Comparison("x", "y", 0.95, (row,), row)), width=80)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert not re.search(r"\S…|…\S", shown)
    assert lines[3].split() == ["p", "better", "worse"]
    assert lines[4].split() == [
        "task",
        "first",
        "second",
        "diff.",
        "interval",
        "p",
        "(Holm)",
        "on",
        "on",
        "items",
    ]
    numbers = ["98.5", "100.0", "-1.5", "-10.2", "…", "+10.2", "<", "0.001", "0.004", "20", "5", "12345"]
    assert [line.split()[1:] for line in lines if "98.5" in line] == [numbers, numbers]


def test_in_a_narrow_terminal_tasks_are_numbered_rather_than_left_out():
    shown = text(render(board([f"nano/some-long-task-name-{index}" for index in range(6)])), width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "do not fit" not in shown
    assert "tasks: 1 some-long-task-name-0, 2 some-long-task-name-1" in shown


def test_a_selection_is_shown_with_the_ranks_of_the_whole_board():
    made = board(["nano/sentiment", "nano/qa"])
    shown = text(render(made, selection=read("r=few-shot&cols=mean,seconds,nano-qa")))
    lines = shown.splitlines()
    (row,) = (line for line in lines[:5] if "nano:llama" in line.split())
    assert row.strip().startswith(f"{entry_place(made, 'few-shot(k=4)')}  nano:llama")
    assert lines[1].split() == [
        "rank",
        "model",
        "adaptation",
        "mean",
        *lines[1].split()[4:6],
        "seconds",
        "qa",
    ]
    assert "1 of 3 entries; ranks and intervals are those of the whole board." in shown
    assert "of 3 entries" not in text(render(made))
    nothing = text(render(made, selection=read("q=nothing")))
    assert "0 of 3 entries" in nothing
    assert "No entry fits what was asked for." in nothing
    assert "adaptation" not in nothing


def test_no_line_names_tasks_where_none_is_shown():
    made = board(["nano/sentiment", "nano/qa"])
    assert "tasks:" not in text(
        render(made, selection=read("cols=mean,seconds,tokens,parameters,trained")), width=60
    )


def test_whiskers_are_on_one_axis_and_give_way_to_the_scores():
    made = board(["nano/sentiment", "nano/qa"])
    wide = text(render(made)).splitlines()
    drawn = [line for line in wide if "●" in line][:3]
    assert len(drawn) == 3
    # Where guessing lies is the same place in every row, unless an interval covers it.
    assert len({line.index("┊") for line in drawn if "┊" in line}) == 1
    assert [line.index("●") for line in drawn] == sorted((line.index("●") for line in drawn), reverse=True)
    narrow = text(render(made), width=70)
    assert "●" not in narrow
    assert "±" in narrow
