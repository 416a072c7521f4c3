"""Batches of nodes: however they are limited, every token is read once, behind all that it follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forests import FORESTS, prefix_of_place
from tianti.engine.batches import BatchLimit
from tianti.engine.prefix.tree import build_tree
from tianti.engine.scoring.node_batches import NodeBatches
from tianti.engine.tokens import Tokens

LIMITS = st.one_of(
    st.builds(BatchLimit, rows=st.integers(1, 5)),
    st.builds(
        BatchLimit, tokens=st.integers(1, 40), scored=st.integers(1, 9), cached=st.sampled_from((1, 30, 200))
    ),
)


@given(FORESTS, st.lists(LIMITS, min_size=1, max_size=4), st.integers(0, 3), st.sets(st.integers(0, 120)))
def test_every_token_is_read_once_behind_what_it_follows(
    sequences: list[Tokens], limits: list[BatchLimit], depth: int, places: set[int]
):
    """With limits that change from batch to batch, as when memory runs out."""
    tree = build_tree(sequences)
    of_place = prefix_of_place(tree, sequences)
    scored = np.array(sorted(place for place in places if place < len(tree)), dtype=np.int64)
    longest = depth + max(map(len, sequences))
    batches = NodeBatches(tree, scored, depth)
    stack = [-1 - number for number in range(depth)]
    read: list[tuple[int, ...]] = []
    asked: list[int] = []
    count = 0
    while (rows := batches.take(limits[count % len(limits)])) is not None:
        limit = limits[count % len(limits)]
        count += 1
        n, length = rows.tokens.shape
        past = rows.slots.shape[1]
        assert past + length <= longest
        if n > 1:
            assert n <= (limit.rows or n)
            assert limit.rows or (n * length <= limit.tokens and n * (past + length) <= limit.cached)
            assert limit.rows or len(rows.scored) <= limit.scored
        prefixes: list[tuple[int, ...]] = []
        for row in range(n):
            before = [stack[slot] for slot in rows.slots[row][past - rows.depths[row] :]]
            tokens = [*before[:depth], *before[depth:], *rows.tokens[row][: rows.lengths[row]].tolist()]
            assert tokens[:depth] == [-1 - number for number in range(depth)]
            prefixes += [tuple(tokens[depth : rows.depths[row] + column + 1]) for column in range(length)]
            read += prefixes[row * length : row * length + int(rows.lengths[row])]
        here = batches.here().tolist()
        assert [of_place[place] for place in here] == [prefixes[flat] for flat in rows.scored]
        asked += here
        stack = stack[: rows.kept] + [int(rows.tokens.flat[flat]) for flat in rows.keep]
        batches.done()
    assert sorted(read) == sorted(of_place)
    assert sorted(asked) == scored.tolist()
    assert batches.take(limits[0]) is None


@given(FORESTS, st.data())
def test_what_is_skipped_leaves_out_all_below_it_and_nothing_else(
    sequences: list[Tokens], data: st.DataObject
):
    tree = build_tree(sequences)
    batches = NodeBatches(tree, np.arange(len(tree)))
    left: set[int] = set(range(len(tree)))
    skipped: set[int] = set()
    while (rows := batches.take(BatchLimit(rows=data.draw(st.integers(1, 3))))) is not None:
        here = set(batches.here().tolist())
        assert here <= left
        left -= here
        if len(rows.tokens) == 1 and data.draw(st.booleans()):
            place = batches.skip()
            assert place == min(here)
            skipped |= set(range(place, tree.ends[place])) - here
        else:
            batches.done()
    assert left == skipped


def test_what_is_kept_does_not_grow_with_the_number_of_sequences():
    """A hundred questions of four choices each: the stack holds those of one batch."""
    shots = list(range(30))
    rows = [[*shots, 100 + question, 7, 8, choice, 9] for question in range(100) for choice in range(4)]
    batches = NodeBatches(
        build_tree([np.array(row, dtype=np.int32) for row in rows]), np.zeros(0, dtype=np.int64)
    )
    most = 0
    while (taken := batches.take(BatchLimit(rows=5))) is not None:
        most = max(most, taken.kept + len(taken.keep))
        batches.done()
    assert most == len(shots) + 5 * 3


@pytest.mark.parametrize("lengths", [(300, 300, 20, 20), (40, 39, 38)])
def test_similar_lengths_share_a_batch(lengths: tuple[int, ...]):
    rows = [np.array([number, *range(length - 1)], dtype=np.int32) for number, length in enumerate(lengths)]
    batches = NodeBatches(build_tree(rows), np.zeros(0, dtype=np.int64))
    taken = batches.take(BatchLimit())
    assert taken is not None
    assert taken.lengths.tolist() == [length for length in lengths if length > 30]


def test_no_row_stands_where_no_sequence_reaches():
    """What follows much and what is long itself do not share a batch where positions end at ten."""
    rows = [[*range(8), 20], [*range(8), 21], [9, *range(30, 38)], [9, *range(40, 49)]]
    tree = build_tree([np.array(row, dtype=np.int32) for row in rows])
    batches = NodeBatches(tree, np.zeros(0, dtype=np.int64))
    sizes = []
    while (taken := batches.take(BatchLimit())) is not None:
        sizes.append((len(taken.tokens), taken.slots.shape[1] + taken.tokens.shape[1]))
        batches.done()
    assert sizes == [(2, 8), (2, 10), (2, 9)]
