from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tianti.board.battles.columns import find_columns
from tianti.board.battles.votes import LeftOut, make_votes
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats.ratings import FIRST_WINS, SECOND_WINS, TIE


def table(rows, names=("left", "right", "winner")):
    return pa.table({name: [row[index] for row in rows] for index, name in enumerate(names)})


def votes(rows, names=("left", "right", "winner"), style=(), voter=None, prompt=None, **options):
    found = table(rows, names)
    return make_votes(
        found, find_columns(found.column_names, style=style, voter=voter, prompt=prompt), **options
    )


def test_columns_are_recognised_or_named():
    arena = find_columns(["judge", "model_a", "model_b", "winner", "prompt"])
    assert (arena.first, arena.second, arena.winner, arena.voter) == ("model_a", "model_b", "winner", "judge")
    assert arena.prompt is None
    assert find_columns(["left", "right", "winner", "worker"]).clusters == ("worker",)
    assert find_columns(["left", "right", "winner", "worker"], voter="none").clusters == ()
    own = find_columns(["x", "y", "w", "p"], left="x", right="y", winner="w", prompt="p", style=["x:y"])
    assert (own.first, own.clusters, own.style) == ("x", ("p",), (("x", "y"),))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "no columns of the two models.*found x, y, winner"),
        ({"left": "x"}, "one of --left and --right"),
        ({"left": "x", "right": "z"}, "unknown column 'z'"),
        ({"left": "x", "right": "y", "winner": "winer"}, "did you mean 'winner'"),
        ({"left": "x", "right": "x"}, "two roles"),
        ({"left": "x", "right": "y", "voter": "who"}, "unknown column 'who'"),
        ({"left": "x", "right": "y", "style": ["length"]}, "expected COLUMN_A:COLUMN_B"),
        ({"left": "x", "right": "y", "style": ["x:length"]}, "unknown column 'length'"),
    ],
)
def test_columns_that_are_not_there(given, says):
    with pytest.raises(InputError, match=says):
        find_columns(["x", "y", "winner"], **given)
    with pytest.raises(InputError, match="no column 'winner'"):
        find_columns(["left", "right"])


def test_winners_by_all_their_names():
    rows = [("a", "b", word) for word in ("model_a", "LEFT", " b ", "right", "tie", "Draw")]
    found = votes(rows)
    assert found.names == ("a", "b")
    assert found.battles.outcome.tolist() == [FIRST_WINS, FIRST_WINS, SECOND_WINS, SECOND_WINS, TIE, TIE]


def test_both_bad_is_no_tie_and_no_row_that_is_left_out():
    found = votes(
        [("a", "b", "left"), ("a", "b", "tie (bothbad)"), ("c", "b", "both_bad"), ("c", "b", "tie")]
    )
    assert len(found.battles) == 2
    assert found.both_bad.tolist() == [1, 2, 1]
    assert (found.both_bad_rows, found.left_out) == (2, ())
    with pytest.raises(InputError, match="c: every battle ended with both bad"):
        votes([("a", "b", "left"), ("c", "b", "bothbad")])


def test_rows_that_are_left_out_are_counted_with_a_reason():
    names = ("left", "right", "winner", "voter", "la", "lb")
    rows = [
        ("a", "b", "left", "v", 1, 2),
        (None, "b", "left", "v", 1, 2),
        ("a", "  ", "left", "v", 1, 2),
        ("a", "b", None, "v", 1, 2),
        ("a", "b", "tie", None, 1, 2),
        ("a", "b", "tie", "w", None, 2),
        ("a", "a", "tie", "w", 1, 2),
        ("a", "c", "tie", "w", 1, 2),
        (None, None, "tie", "w", 1, 2),
    ]
    found = votes(rows, names, style=["la:lb"], leave_out=["c"])
    assert found.left_out == (
        LeftOut("no left", 2, 2),
        LeftOut("no right", 1, 3),
        LeftOut("no winner", 1, 4),
        LeftOut("no voter", 1, 5),
        LeftOut("no la", 1, 6),
        LeftOut("a model against itself", 1, 7),
        LeftOut("a model that is not asked for", 1, 8),
    )
    assert len(found.battles) + sum(left.rows for left in found.left_out) == found.rows == 9


def test_an_unknown_winner_is_an_error_with_its_row():
    with pytest.raises(
        InputError, match=r"row 2: winner is 'lft', expected one of model_a, left, .*tie, draw"
    ):
        votes([("a", "b", "left"), ("a", "b", "lft")])


def test_nothing_left_is_an_error_that_says_why():
    with pytest.raises(
        InputError, match="no battle is left of 2 rows: 1 × a model against itself, 1 × both bad"
    ):
        votes([("a", "a", "left"), ("a", "b", "bothbad")])


def test_models_that_are_asked_for():
    rows = [("a", "b", "left"), ("b", "c", "left"), ("c", "a", "tie")]
    assert votes(rows, limit_to=["a", "c"]).names == ("a", "c")
    with pytest.raises(UnknownNameError, match="unknown model 'A'"):
        votes(rows, limit_to=["A"])


def test_style_is_a_share_of_the_sum_in_units_of_its_spread():
    names = ("left", "right", "winner", "la", "lb")
    rows = [("a", "b", "left", "300", "100"), ("b", "a", "left", "50", "150"), ("a", "b", "tie", "0", "0")]
    style = votes(rows, names, style=["la:lb"]).battles.style[:, 0]
    raw = np.array([0.5, -0.5, 0.0])
    assert style == pytest.approx(raw / np.sqrt(np.mean(raw**2)))


@pytest.mark.parametrize(
    ("value", "says"),
    [("long", "row 2: lb is 'long', expected a number"), ("-3", "row 2: lb is -3, expected a finite")],
)
def test_a_covariate_that_is_no_length_is_an_error_with_its_row(value, says):
    names = ("left", "right", "winner", "la", "lb")
    with pytest.raises(InputError, match=says):
        votes([("a", "b", "left", "1", "2"), ("a", "b", "left", "1", value)], names, style=["la:lb"])


def test_numbers_as_names_and_clusters():
    found = make_votes(
        pa.table({"left": [1, 2], "right": [2, 1], "winner": ["left", "left"], "user": [7, None]}),
        find_columns(["left", "right", "winner", "user"]),
    )
    assert found.names == ("1", "2")
    assert found.left_out == (LeftOut("no user", 1, 2),)
    assert [codes.tolist() for codes in found.battles.clusters] == [[0]]
