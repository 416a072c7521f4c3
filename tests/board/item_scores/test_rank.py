import json

import numpy as np
import pytest

from real_data_folder import REAL_DATA
from tianti.board.item_scores import ItemTable, TaskItems, find_columns, rank_items, read_items
from tianti.board.item_scores.table import with_chances
from tianti.board.tables import read_table
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats import (
    AGGREGATES,
    TaskMatrix,
    aggregate,
    max_t_intervals,
    pairwise_p_values,
    places_of,
    rank_intervals,
    resampled_places,
)


def task(name, values, chance=None, clusters=None):
    values = np.asarray(values, dtype=float)
    names = tuple(f"{index:03d}" for index in range(values.shape[1]))
    return TaskItems(name, names, values, (~np.isnan(values)).astype(float), clusters, chance)


def some_table(n=80, accuracies=(0.9, 0.7, 0.65, 0.4)):
    rng = np.random.default_rng(0)
    draw = [(rng.random((len(accuracies), n)) < np.array(accuracies)[:, None]) for _ in range(3)]
    names = tuple(f"m{index}" for index in range(len(accuracies)))
    return ItemTable(
        names, tuple(task(f"t{k}", values, 0.25 if k == 1 else None) for k, values in enumerate(draw))
    )


def with_gap(row=0, where=2):
    table = some_table()
    values = table.tasks[where].values.copy()
    values[row] = np.nan
    tasks = [*table.tasks[:where], task(f"t{where}", values), *table.tasks[where + 1 :]]
    return ItemTable(table.entries, tuple(tasks))


def in_order(found, table):
    by_name = {entry.name: entry for entry in found.entries}
    return [by_name[name] for name in table.entries]


@pytest.mark.parametrize("by", ["mean", "common"])
def test_ranks_by_a_mean_come_from_paired_tests(by):
    table, weights = some_table(), {"t0": 2.0}
    share = np.array([2.0, 1, 1]) / 4
    scale = [1, 0.75, 1]
    matrices = [TaskMatrix(each.values, w / s) for each, w, s in zip(table.tasks, share, scale, strict=True)]
    expected = rank_intervals(pairwise_p_values(matrices), level=0.9)
    found = rank_items(table, by, weights=weights, level=0.9)
    rows = in_order(found, table)
    assert [row.rank_low for row in rows] == expected.low.tolist()
    assert [row.rank_high for row in rows] == expected.high.tolist()
    means = np.stack([each.values.mean(axis=1) for each in table.tasks], axis=1)
    means[:, 1] = (means[:, 1] - 0.25) / 0.75
    assert [row.value for row in rows] == pytest.approx(list(means @ share))
    assert all(row.low < row.value < row.high for row in rows)
    assert (found.ranks, found.family, found.level, found.draws) == ("simultaneous", 12, 0.9, 0)
    assert found.method == "paired tests on shared items, Holm"


def test_max_t_is_an_option():
    table = some_table()
    matrices = [TaskMatrix(each.values, 1 / 3 / (0.75 if each.chance else 1)) for each in table.tasks]
    found = rank_items(table, ranks="max-t", seed=3)
    expected = max_t_intervals(matrices, seed=3)
    assert [row.rank_high for row in in_order(found, table)] == expected.high.tolist()
    assert (found.seed, found.draws) == (3, 2000)
    values = table.tasks[0].values.copy()
    values[0, 0] = np.nan
    gappy = ItemTable(table.entries, (task("t0", values),))
    with pytest.raises(InputError, match="lacks 1 answers"):
        rank_items(gappy, ranks="max-t")
    with pytest.raises(InputError, match="no test between pairs fits"):
        rank_items(table, "borda", ranks="max-t")


@pytest.mark.parametrize("by", ["borda", "win-rate", "latent"])
def test_the_other_ranks_come_from_resampled_items(by):
    table = some_table()
    found = rank_items(table, by, seed=4)
    matrices = [TaskMatrix(each.values, 1 / 3) for each in table.tasks]
    expected = resampled_places(matrices, [None, 0.25, None], by, seed=4)
    rows = in_order(found, table)
    assert [row.rank_low for row in rows] == expected.low.tolist()
    assert [row.high for row in rows] == pytest.approx(expected.value_high.tolist())
    assert [row.first for row in rows] == expected.first.tolist()
    assert (found.ranks, found.family, found.seed, found.draws) == ("marginal", 0, 4, 500)
    assert "not corrected" in found.method


@pytest.mark.parametrize("by", AGGREGATES)
def test_a_missing_cell(by):
    table = with_gap()
    found = rank_items(table, by)
    first = in_order(found, table)[0]
    assert (found.cells, found.missing, found.short) == (11, 1, 0)
    if by == "mean":
        assert (first.rank, first.rank_low, first.value, first.low) == (None, None, None, None)
        assert found.entries[-1].name == "m0"
        assert found.family == 6
    elif by == "common":
        # 3 entries × 3 tasks are more cells than 4 × 2.
        assert first.rank is None
    else:
        assert first.rank is not None
    scores = np.stack(
        [
            np.nanmean(np.where(np.isnan(t.values).all(axis=1)[:, None], -9, t.values), axis=1)
            for t in table.tasks
        ],
        axis=1,
    )
    scores[scores == -9] = np.nan
    expected = places_of(aggregate(by, scores, items=np.full(scores.shape, 80.0)).values)
    assert [row.rank for row in in_order(found, table)] == [None if np.isnan(p) else int(p) for p in expected]


def test_entries_that_share_no_item_of_a_task_are_counted_and_never_told_apart():
    values = np.ones((3, 60))
    values[1] = 0.0
    values[2, 30:] = np.nan
    values[1, :30] = np.nan
    table = ItemTable(("a", "b", "c"), (task("t", values),))
    found = rank_items(table)
    assert found.unshared == {"t": 1}
    assert found.short == 2
    assert [(row.rank_low, row.rank_high) for row in in_order(found, table)] == [(1, 2), (2, 3), (1, 3)]


def test_clusters_and_repeats_are_counted_for_what_is_used():
    table = some_table(n=6)
    first = TaskItems(
        "t0", table.tasks[0].names, table.tasks[0].values, np.full((4, 6), 3.0), tuple("aabbcc")
    )
    second = table.tasks[1]
    table = ItemTable(table.entries, (first, second))
    found = rank_items(table)
    assert (found.n, found.clusters, found.repeats) == (12, 3 + 6, 1)
    assert {(row.n, row.clusters, row.repeats) for row in found.entries} == {(12, 9, 1)}
    found = rank_items(table, weights={"t1": 0.0})
    assert {(row.n, row.clusters, row.repeats) for row in found.entries} == {(6, 3, 3)}
    assert [(each.name, each.weight, each.used, each.clusters) for each in found.tasks] == [
        ("t0", 1.0, True, 3), ("t1", 0.0, False, None),
    ]  # fmt: skip


def test_latent_names_the_entries_that_nothing_connects():
    nan = np.nan
    rows = np.array([[1, 0, 1, 1], [0, 0, 1, 1], [nan] * 4])
    other = np.array([[nan] * 4, [nan] * 4, [1, 1, 0, 1]])
    table = ItemTable(("a", "b", "lone"), (task("s", rows), task("t", other)))
    with pytest.raises(InputError, match="2 groups that share no task; one of them is lone"):
        rank_items(table, "latent")
    found = rank_items(table, "win-rate")
    assert "one of them is lone" in found.stability.refused["latent"]
    assert rank_items(table, "latent", weights={"t": 0.0}).entries[-1].name == "lone"


def test_one_entry_alone():
    table = ItemTable(("a",), (task("t", [[1, 0, 1, 1]]),))
    for by in AGGREGATES:
        found = rank_items(table, by)
        assert found.entries[0].rank in (1, None), by
        json.loads(found.to_json())


def test_chances_and_weights_that_do_not_do():
    table = some_table()
    with pytest.raises(UnknownNameError, match="unknown task 't9'"):
        rank_items(table, weights={"t9": 1.0})
    with pytest.raises(InputError, match="a weight of -1 for t0"):
        rank_items(table, weights={"t0": -1.0})
    with pytest.raises(InputError, match="all tasks have the weight 0"):
        rank_items(table, weights={"t0": 0, "t1": 0, "t2": 0})
    with pytest.raises(InputError, match="task t0: a chance level of 1"):
        with_chances(table, {"t0": 1.0})
    with pytest.raises(UnknownNameError, match="unknown task 'x'"):
        with_chances(table, {"x": 0.5})
    assert [each.chance for each in with_chances(table, {"t0": 0.5}).tasks] == [0.5, 0.25, None]


def test_the_panel_names_what_the_numbers_are():
    table = some_table()
    found = rank_items(table)
    panel = found.stability
    assert [entry.name for entry in panel.entries] == list(table.entries)
    assert [entry.places["mean"] for entry in panel.entries] == [row.rank for row in in_order(found, table)]
    assert [each.task for each in panel.without] == ["t0", "t1", "t2"]
    assert panel.without[0].first == ("m0",)
    assert len(panel.compared) == 10
    hair = ItemTable(
        ("a", "b"), (task("s", [[1, 1, 1, 1, 0], [0, 1, 0, 1, 0]]), task("t", [[0, 1, 0, 1], [0, 1, 1, 1]]))
    )
    change = rank_items(hair).stability.weight_change
    assert (change.leader, change.challenger) == ("a", "b")
    assert sum(change.weights.values()) == pytest.approx(1)
    assert change.weights["s"] == pytest.approx(0.25 / 0.65)


def test_the_json_and_the_text_are_the_same_each_time():
    for by in ("mean", "latent"):
        assert rank_items(with_gap(), by).to_json() == rank_items(with_gap(), by).to_json()
    assert "rank stability" in str(rank_items(with_gap()))


LIVEBENCH = REAL_DATA / "livebench_scores" / "livebench_13012025.parquet"


@pytest.mark.real_data
@pytest.mark.skipif(not LIVEBENCH.is_file(), reason="no real data beside this checkout (../shared/data)")
def test_livebench_with_its_gaps():
    rows = read_table(LIVEBENCH, "scores")
    table = read_items(rows, find_columns(rows.column_names))
    assert (len(table.entries), len(table.tasks), table.rows, table.repeated) == (93, 18, 93_624, 590)
    frame = rows.to_pandas()
    means = frame.groupby(["model", "task", "question_id"])["score"].mean().groupby(["model", "task"]).mean()
    matrix = means.unstack()
    found = rank_items(table)
    assert (found.n, found.cells, found.missing, found.short) == (1136, 1582, 92, 160)
    assert found.cells == int(matrix.notna().sum().sum())
    complete = matrix.dropna().mean(axis=1).sort_values(ascending=False)
    assert found.family == len(complete) * (len(complete) - 1) == 84 * 83
    ranked = [entry for entry in found.entries if entry.rank is not None]
    assert ranked[0].name == complete.index[0] == "o1-preview-2024-09-12"
    assert [entry.value for entry in ranked] == pytest.approx(complete.tolist(), abs=1e-9)
    # 352 pairs were asked different problems of the olympiad: nothing is shown between these.
    assert found.unshared == {"olympiad": 352}
    taus = {(pair.first, pair.second): pair.tau for pair in found.stability.compared}
    assert 0.96 < taus["mean", "borda"] < 0.97
    borda = next(pair for pair in found.stability.compared if (pair.first, pair.second) == ("mean", "borda"))
    assert (borda.mover, borda.place_first, borda.place_second) == ("o1-mini-2024-09-12", 3, 13)


@pytest.mark.real_data
@pytest.mark.skipif(not LIVEBENCH.is_file(), reason="no real data beside this checkout (../shared/data)")
def test_the_latent_index_places_livebench_entries_with_few_tasks():
    rows = read_table(LIVEBENCH, "scores")
    found = rank_items(read_items(rows, find_columns(rows.column_names)), "latent")
    ranks = {entry.name: (entry.rank_low, entry.rank_high) for entry in found.entries}
    # 50 questions of one task say little; 1,000 of all say much.
    low, high = ranks["claude-3-5-sonnet-20240620_failsafe"]
    assert high - low > 15
    assert ranks["o1-preview-2024-09-12"][1] <= 3
    assert all(entry.rank is not None for entry in found.entries)
