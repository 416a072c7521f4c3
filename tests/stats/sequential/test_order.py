from __future__ import annotations

import hashlib

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.core.fingerprint import fingerprint
from tianti.stats.sequential import committed_order


def test_the_order_depends_on_the_items_and_the_seed_alone() -> None:
    bank = {"a": [str(number) for number in range(50)], "b": ["x", "y"]}
    order = committed_order(bank, 3)
    turned = committed_order({"b": ["y", "x"], "a": list(reversed(bank["a"]))}, 3)
    assert order == turned
    assert order.sha256 == turned.sha256 == fingerprint([list(item) for item in order.items])
    assert order.sizes == {"a": 50, "b": 2}
    assert committed_order(bank, 4).items != order.items
    keys = [hashlib.sha256(f"3\x1f{task}\x1f{item}".encode()).hexdigest() for task, item in order.items]
    assert keys == sorted(keys)


def test_every_item_is_equally_often_first() -> None:
    firsts = [committed_order({"t": list("abcd")}, seed).items[0][1] for seed in range(2000)]
    counts = np.array([firsts.count(item) for item in "abcd"])
    assert (abs(counts - 500) < 4 * np.sqrt(2000 * 0.25 * 0.75)).all()


def test_a_bank_without_items_or_with_one_twice_is_refused() -> None:
    with pytest.raises(InputError, match="without items"):
        committed_order({"t": []})
    with pytest.raises(InputError, match="two items have the id 'x'"):
        committed_order({"t": ["x", "y", "x"]})
