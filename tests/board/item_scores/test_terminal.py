import io

import numpy as np
from rich.console import Console

from tianti.board.item_scores import ItemTable, TaskItems, rank_items
from tianti.board.item_scores.terminal import render
from tianti.board.tables import LeftOut


def text(found, width=120, **options):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render(found, **options))
    return " ".join(console.file.getvalue().split())


def some_table():
    rng = np.random.default_rng(1)
    values = [(rng.random((3, 40)) < np.array([[0.9], [0.6], [0.5]])).astype(float) for _ in range(2)]
    values[1][2, 20:] = np.nan
    values[1][1, :20] = np.nan
    names = tuple(str(index) for index in range(40))
    tasks = [
        TaskItems(f"t{k}", names, v, np.where(np.isnan(v), 0, 2.0), None, 0.25 if k else None)
        for k, v in enumerate(values)
    ]
    return ItemTable(
        ("a[bold]", "b", "c"),
        tuple(tasks),
        300,
        4,
        (LeftOut("no score", 2, 17),),
        (("lm", "its metric is no mean"),),
    )


def test_what_a_reader_needs_to_know_is_said():
    found = text(rank_items(some_table(), weights={"t0": 3.0}))
    for said in (
        "a[bold]", "2 of 2 tasks, 80 items, each answered 2 times or more", "all intervals hold at once with 95%",
        "Holm, 6 hypotheses", "weights: t0 75.0 %, t1 25.0 %", "chance levels: t1 25.0 %",
        "0 of 6 cells (entry and task) are missing, 2 rest on some",
        "of 3 pairs of entries so many have no item of a task in common: t1 1",
        "4 rows of an entry's further answers", "left out: 2 rows: no score (the first is row 17)",
        "not ranked by: lm (its metric is no mean)",
    ):  # fmt: skip
        assert said in found, said
    assert "rank stability" not in found


def test_the_panel_and_the_first_rows():
    found = text(rank_items(some_table()), stability=True, top=1)
    assert "rank stability" in found
    assert "2 more entries: --json has all" in found
    assert "mean and borda: Kendall's τ" in found
    assert "one task less: the same entry stays first" in found
    assert "other weights: none put another entry first" in found
    assert " b " not in found.split("rank stability")[1].split("columns:")[0]


def test_resampled_ranks_say_that_they_are_marginal():
    found = text(rank_items(some_table(), "borda", seed=5), stability=True)
    assert "500 resamples of the items, seed 5 (bootstrap over items, marginal, not corrected)" in found
    assert "far too narrow for all at once" in found


def test_what_is_not_ranked_or_not_computed_is_named():
    nan = np.full((1, 4), np.nan)
    names, one = tuple("0123"), np.array([[1.0, 0, 1, 1]])
    tasks = tuple(
        TaskItems(name, names, values, (~np.isnan(values)).astype(float))
        for name, values in (("s", np.vstack([one, nan])), ("t", np.vstack([nan, one])))
    )
    found = text(rank_items(ItemTable(("a", "b"), tasks)), stability=True)
    assert "not ranked, for a task is missing: 2 entries: a, b" in found
    assert "latent: not computed: the entries fall into 2 groups" in found
    assert "0 entries in both, no order to compare" in found
    common = text(rank_items(ItemTable(("a", "b"), tasks), "common"))
    assert "outside the common set: t" in common
