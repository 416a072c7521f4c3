from __future__ import annotations

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.stats import TaskValues, macro_interval
from tianti.stats.sequential import Bank


def test_the_mean_over_the_bank_is_the_macro_average() -> None:
    rng = np.random.default_rng(0)
    values = {"a": rng.random(40), "b": rng.integers(0, 2, 7).astype(float)}
    bank = Bank({"a": 40, "b": 7}, {"a": 0.25, "b": None})
    worth = np.concatenate([values[task] * bank.units([task] * len(values[task])) for task in values])
    macro = macro_interval([TaskValues(values["a"], 0.25), TaskValues(values["b"], None)])
    assert macro is not None
    assert bank.score(float(worth.mean())) == pytest.approx(macro.estimate)
    assert bank.mean(bank.score(0.3)) == pytest.approx(0.3)
    assert bank.score(bank.unit_mean) == pytest.approx(1.0)
    assert bank.units(["a", "b"]).max() == 1.0
    assert bank.size == 47


def test_a_task_without_items_and_an_impossible_chance_are_refused() -> None:
    with pytest.raises(InputError, match="needs items"):
        Bank({"a": 0}, {"a": None})
    with pytest.raises(InputError, match="chance"):
        Bank({"a": 1}, {"a": 1.0})
