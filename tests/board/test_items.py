from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.board.disagreements import MOST, disagreements
from tianti.board.entry_items import EntryItems
from tianti.board.items import FEWEST, analyse_items, discriminations, smallest_gap
from tianti.board.results import Items
from tianti.board.snapshot import take_snapshot
from tianti.stats import TaskPair, paired_difference
from worlds import PERPLEXITY, World

cells = st.sampled_from([0.0, 0.5, 1.0, np.nan])


def by_hand(values):
    """The item–rest correlations, one item and one entry at a time."""
    found = []
    for item in range(values.shape[1]):
        own, rest = [], []
        for row in values:
            others = np.delete(row, item)
            others = others[~np.isnan(others)]
            if not np.isnan(row[item]) and len(others):
                own.append(row[item])
                rest.append(others.mean())
        varied = len(own) >= FEWEST and np.std(own) > 1e-9 and np.std(rest) > 1e-9
        found.append(np.corrcoef(own, rest)[0, 1] if varied else np.nan)
    return np.array(found)


@given(st.integers(1, 7), st.integers(1, 6), st.data())
def test_discrimination_is_the_correlation_with_the_rest(entries, items, data):
    rows = st.lists(cells, min_size=items, max_size=items)
    values = np.array(data.draw(st.lists(rows, min_size=entries, max_size=entries)))
    np.testing.assert_allclose(discriminations(values), by_hand(values), atol=1e-9)


def test_blocks_change_nothing(monkeypatch):
    values = np.random.default_rng(0).integers(0, 2, (8, 50)).astype(float)
    whole = discriminations(values)
    monkeypatch.setattr("tianti.board.items.AT_ONCE", 7)
    np.testing.assert_array_equal(discriminations(values), whole)


@pytest.fixture
def recorded(store):
    world = World(items=60, metrics={"texts": PERPLEXITY})
    for model, chance in (("a", 0.9), ("b", 0.7), ("c", 0.4)):
        world.record(store, model, "zero-shot", "sentiment", chance)
    world.record(store, "a", "lora", "sentiment", 0.8, seed=0)
    world.record(store, "a", "lora", "sentiment", 0.8, seed=1)
    world.record(store, "a", "zero-shot", "texts", 0.5)
    return take_snapshot(store).board


def matrix(board, items, task):
    """(names, entries × samples) of what entries answered; NaN where one did not."""
    answered = [found for entry in board.entries if (found := items.on(entry, task)) is not None]
    names = list(dict.fromkeys(name for found in answered for name in found.names))
    values = [[dict(zip(f.names, f.values, strict=True)).get(n, np.nan) for n in names] for f in answered]
    return names, np.array(values)


def test_items_of_a_board(store, recorded):
    items = EntryItems(store, recorded)
    column = next(column for column in recorded.columns if column.name == "sentiment")
    found = analyse_items(recorded, items, column)
    names, values = matrix(recorded, items, "sentiment")
    assert found.entries == 4
    assert [item.name for item in found.items] == names
    assert [item.entries for item in found.items] == list((~np.isnan(values)).sum(axis=0))
    np.testing.assert_allclose([item.mean for item in found.items], np.nanmean(values, axis=0))
    told = [np.nan if item.discrimination is None else item.discrimination for item in found.items]
    np.testing.assert_allclose(told, by_hand(values), atol=1e-9)
    means = np.nanmean(values, axis=0)
    assert {item.name for item in found.missed} == {n for n, m in zip(names, means, strict=True) if m == 0}
    assert {item.name for item in found.got} == {n for n, m in zip(names, means, strict=True) if m == 1}
    worst = [item.discrimination for item in found.backward]
    assert worst == sorted(worst)
    assert all(value < 0 for value in worst)


def test_the_smallest_gap_is_half_an_interval_of_neighbours(store, recorded):
    items = EntryItems(store, recorded)
    column = next(column for column in recorded.columns if column.name == "sentiment")
    ordered = sorted(recorded.entries, key=lambda entry: -(entry.cells["sentiment"].value or 0))
    halves = []
    for one, other in pairwise(ordered):
        first, second = items.on(one, "sentiment"), items.on(other, "sentiment")
        assert first.names == second.names
        pair = TaskPair(first.values, second.values)
        interval = paired_difference([pair], level=recorded.level, normalised=False).interval
        halves.append((interval.high - interval.low) / 2)
    assert analyse_items(recorded, items, column).smallest_gap == pytest.approx(np.median(halves))
    alone = Items(("x",), np.array([1.0]))
    assert smallest_gap([alone], 0.95) is None
    assert smallest_gap([alone, Items(("y",), np.array([1.0]))], 0.95) is None


def test_a_task_without_values_per_sample_has_no_items(store, recorded):
    column = next(column for column in recorded.columns if column.name == "texts")
    assert analyse_items(recorded, EntryItems(store, recorded), column) is None


def test_disagreements_are_those_of_the_values(store, recorded):
    items = EntryItems(store, recorded)
    entries = [entry for entry in recorded.entries if entry.model in ("a", "c")]
    [found] = disagreements(recorded, items, entries)
    by_entry = [items.on(entry, "sentiment") for entry in entries]
    values = np.stack([each.values for each in by_entry])
    ranges = values.max(axis=0) - values.min(axis=0)
    assert (found.task, found.shared, found.differing) == ("sentiment", 58, int((ranges > 0).sum()))
    assert len(found.largest) == min(MOST, found.differing)
    told = [max(each.values) - min(each.values) for each in found.largest]
    assert told == sorted(ranges, reverse=True)[: len(told)]
    for each in found.largest:
        place = by_entry[0].names.index(each.sample)
        assert each.values == tuple(values[:, place])
