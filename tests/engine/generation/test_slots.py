"""Rows of keys and values: what is written stays where it is while rows and room grow."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from tianti.engine.generation.slots import Slots
from tianti.engine.prefix.step_attention import Stack

LAYER = object()


def write(slots: Slots, row: int, place: int, number: float) -> None:
    numbers = torch.full((2, 1, 3), number)
    slots.write(LAYER, torch.tensor([row]), torch.tensor([place]), numbers, -numbers)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=30), st.integers(1, 9))
def test_tokens_stay_where_they_were_written(steps: list[tuple[int, int]], most: int):
    """A list for each row is what the slots are compared with: rows are added, written to, copied and given up."""
    slots, rows = Slots(Stack(), 0), [[0.5]]
    slots.reserve(1, 1, most)
    write(slots, 0, 0, 0.5)
    for number, (chosen, what) in enumerate(steps):
        row = chosen % len(rows)
        if what == 0:
            rows.append([])
            row = len(rows) - 1
        elif what == 1 and len(rows) > 1:
            last = rows.pop()
            if row < len(rows):
                slots.copy([len(rows)], [row], len(last))
                rows[row] = last
            row = len(rows) - 1
        slots.reserve(len(rows), max(map(len, rows)) + 1, most)
        write(slots, row, len(rows[row]), float(number))
        rows[row].append(float(number))
        key, value = slots.layers[LAYER]
        for held, expected in zip(key, rows, strict=False):
            assert held[1, : len(expected), 2].tolist() == expected
        assert torch.equal(key, -value)
        assert key.shape[0] >= len(rows)


def test_memory_follows_what_is_needed():
    slots = Slots(Stack(), 0)
    slots.reserve(8, 4, 100)
    write(slots, 7, 3, 1.0)
    assert slots.layers[LAYER][0].shape == (8, 2, 22, 3)
    slots.reserve(2, 22, 100)
    write(slots, 0, 21, 1.0)
    assert slots.layers[LAYER][0].shape == (8, 2, 22, 3)
    slots.reserve(2, 23, 30)
    write(slots, 0, 22, 1.0)
    assert slots.layers[LAYER][0].shape == (2, 2, 30, 3)
    slots.reserve(2, 31, 30)
    write(slots, 0, 30, 1.0)
    assert slots.layers[LAYER][0].shape == (2, 2, 31, 3)
    slots.clear()
    assert not slots.layers


def test_numbers_that_are_not_finite_can_be_forgotten():
    slots = Slots(Stack(), 0)
    slots.reserve(2, 1, 1)
    write(slots, 0, 0, float("nan"))
    write(slots, 1, 0, 2.0)
    slots.erase(0)
    assert slots.layers[LAYER][0][:, 0, 0, 0].tolist() == [0.0, 2.0]
