import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.board.item_scores import find_columns, read_items
from tianti.core.exceptions import InputError, UnknownNameError

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "model": st.sampled_from(["b", "a", "007"]),
            "task": st.sampled_from(["t", "s"]),
            "question_id": st.sampled_from(["3", "1", "10"]),
            "score": st.sampled_from([0.0, 0.25, 1.0, None]),
        }
    ),
    min_size=1,
    max_size=40,
)


def read(rows, **named):
    table = pa.Table.from_pylist(rows) if isinstance(rows, list) else pa.table(rows)
    return read_items(table, find_columns(table.column_names, **named))


@given(ROWS)
def test_the_cells_are_those_of_pandas(rows):
    frame = pd.DataFrame(rows).assign(score=lambda f: f["score"].astype(float)).dropna()
    if frame.empty:
        with pytest.raises(InputError, match="no score is left"):
            read(rows)
        return
    found = read(rows)
    means = frame.groupby(["model", "task", "question_id"])["score"].agg(["mean", "size"])
    assert found.entries == tuple(sorted(frame["model"].unique()))
    assert [task.name for task in found.tasks] == sorted(frame["task"].unique())
    count = 0
    for task in found.tasks:
        assert list(task.names) == sorted(frame[frame["task"] == task.name]["question_id"].unique())
        for row, column in np.argwhere(~np.isnan(task.values)):
            mean, size = means.loc[(found.entries[row], task.name, task.names[column])]
            assert (task.values[row, column], task.answers[row, column]) == (pytest.approx(mean), size)
            count += 1
    assert count == len(means)
    assert found.repeated == len(frame) - count
    assert sum(left.rows for left in found.left_out) == len(rows) - len(frame)


def test_columns_are_recognised_or_named():
    rows = {"system": ["x"], "benchmark": ["t"], "id": ["1"], "correct": [True], "prompt": ["p"]}
    found = read(rows, cluster="prompt")
    assert found.tasks[0].clusters == ("p",)
    assert found.tasks[0].values.tolist() == [[1.0]]
    assert found.tasks[0].chance is None
    other = {"who": ["x"], "what": ["t"], "which": ["1"], "how": ["True"], "n": [3]}
    found = read(other, entry="who", task="what", item="which", score="how", repeat="n")
    assert found.tasks[0].values.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("columns", "named", "says"),
    [
        (["model", "task", "item"], {}, "no column of the score.*\n.*--score-column"),
        (
            ["model", "item", "score"],
            {},
            "no column of the task: expected task, dataset, benchmark; found model",
        ),
        (["model", "task", "item", "score"], {"cluster": "item"}, "two roles"),
    ],
)
def test_columns_that_do_not_do(columns, named, says):
    with pytest.raises(InputError, match=says):
        find_columns(columns, **named)


def test_a_named_column_that_is_not_there():
    with pytest.raises(UnknownNameError, match="did you mean 'score'"):
        find_columns(["model", "task", "item", "score"], score="scores")


def base(**changes):
    rows = {"entry": ["a", "a", "b"], "task": ["t"] * 3, "item": ["1", "2", "1"], "score": [1, 0, 0.5]}
    return {**rows, **changes}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"score": [1, 73, 0]}, "row 2: score is 73, expected a number from 0 to 1\n.*divide points by 100"),
        ({"score": ["1", "right", "0"]}, "row 2: score is 'right', expected a number"),
        ({"score": [-0.5, 1, 1]}, r"row 1: score is -0\.5"),
        ({"item": ["1", "1", "1"], "repeat": [1, 1, 1]}, "task t: rows 1 and 2 are the same repeat"),
        ({"cluster": ["c", "c", "d"]}, "row 3: item '1' of task t is in two clusters"),
        ({"chance": [0.25, 0.5, 0.25]}, "task t: chance is 0.25, 0.5, expected one number"),
        ({"chance": [1.0, 1.0, 1.0]}, "task t: chance is 1, expected"),
        ({"chance": [0.25, None, 0.25]}, "task t: chance is 0.25, nan"),
        ({"score": pa.nulls(3)}, "no score is left of 3 rows"),
    ],
)
def test_values_that_do_not_do(changes, says):
    with pytest.raises(InputError, match=says):
        read(base(**changes))


def test_repeats_clusters_and_chance():
    rows = base(item=["1", "1", "1"], repeat=[0, 1, 0], cluster=["c", "c", "c"], chance=[0.25] * 3)
    found = read(rows)
    (task,) = found.tasks
    assert task.values.tolist() == [[0.5], [0.5]]
    assert task.answers.tolist() == [[2.0], [1.0]]
    assert (task.clusters, task.chance, found.repeated) == (("c",), 0.25, 1)
    # Items without a cluster stand alone; a count of repeats says how many answers a score is the mean of.
    found = read(base(cluster=["c", None, "c"], repeats=[4, 2, 1]))
    assert found.tasks[0].clusters == ("c", "2")
    assert found.tasks[0].answers.tolist() == [[4.0, 2.0], [1.0, 0.0]]
    assert read(base(cluster=pa.nulls(3))).tasks[0].clusters is None


def test_rows_left_out_are_counted_with_the_first_of_them():
    found = read(base(score=[1, None, 0], entry=["a", "b", None]))
    assert [(left.reason, left.rows, left.first_row) for left in found.left_out] == [
        ("no entry", 1, 3),
        ("no score", 1, 2),
    ]
    assert found.entries == ("a",)
