from __future__ import annotations

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.stats.sequential import Bank, Placing

BANK = Bank({"t": 1000}, {"t": None})


def test_a_new_entry_is_placed_between_its_neighbours() -> None:
    values = (np.random.default_rng(0).random(1000) < 0.6).astype(float)
    score = values.mean()
    scores = np.array([score + 0.2, score - 0.2, score + 0.001, score])
    placing = Placing(np.array([scores, scores]), BANK, delta=0.03)
    placing.take(values[:200], values[:200], ["t"] * 200)
    early = placing.place()
    assert early.above.tolist() == [True, False, False, False]
    assert early.below.tolist() == [False, True, False, False]
    assert (early.low, early.high) == (2, 4)
    assert not early.settled.all()
    placing.take(values[200:], values[200:], ["t"] * 800)
    late = placing.place()
    assert placing.asked == 1000
    assert late.settled.all()
    assert late.tied.tolist() == [False, False, False, True]
    assert late.above.tolist() == [True, False, True, False]
    assert (late.low, late.high) == (3, 4)


def test_answers_that_incumbents_lack_leave_open_what_they_could_change() -> None:
    values = np.full(1000, 0.5)
    incumbents = np.array([[0.45, 0.40], [0.55, 0.44]])
    placing = Placing(incumbents, BANK, delta=0.02)
    placing.take(values, values, ["t"] * 1000)
    assert placing.place().settled.tolist() == [False, True]
    assert placing.place().below.tolist() == [False, True]


def test_nobody_to_be_placed_among_is_refused() -> None:
    with pytest.raises(InputError, match="nobody"):
        Placing(np.zeros((2, 0)), BANK, delta=0.02)
    with pytest.raises(InputError, match="decides no tie"):
        Placing(np.zeros((2, 1)), BANK, delta=2.0)
