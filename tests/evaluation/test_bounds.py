import pytest

from tianti.core.exceptions import IncompatibleError
from tianti.evaluation.answer import Answer
from tianti.evaluation.bounds import bounds_of, mean_bounds


def answer(sample, value, repeat=0, state="ok"):
    return Answer(sample, repeat, state, "", "", values={} if value is None else {"acc": value})


def test_repeats_are_averaged_and_missing_ones_may_be_worth_anything():
    found = bounds_of(
        [
            answer("a", 1.0),
            answer("a", 0.0, 1),
            answer("b", 1.0),
            answer("b", None, 1, "error"),
            answer("c", None),
        ],
        "acc",
    )
    assert found == {"a": (0.5, 0.5), "b": (0.5, 1.0), "c": (0.0, 1.0)}
    assert mean_bounds([found, {"b": (0.0, 0.0)}], "b") == (0.25, 0.5)


def test_values_that_cannot_be_bet_on_are_refused():
    with pytest.raises(IncompatibleError, match="sample a is"):
        bounds_of([answer("a", 1.5)], "acc")
