from __future__ import annotations

import doctest

from tianti.core import wording
from tianti.core.wording import counted


def test_one_is_singular_and_nothing_else_is() -> None:
    assert doctest.testmod(wording) == (0, 1)
    assert [counted(number, "task") for number in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
