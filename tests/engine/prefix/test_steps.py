"""Steps: however the tree is cut, each token attends once to each token that it follows, and to nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forests import FORESTS, ancestors, prefix_of_place
from tianti.engine.prefix.steps import Step, cut, make_step
from tianti.engine.prefix.tree import build_tree
from tianti.engine.tokens import Tokens


def pairs(step: Step, stack: list[int]) -> Iterator[tuple[int, int]]:
    """Every (query, key) of the pieces of a step, as places of the tree; `stack` says what stands on the stack."""
    for span in step.stacked:
        for query in range(span.start, span.stop):
            yield from ((query + step.start, stack[key]) for key in range(span.first, span.last))
    for span in step.spans:
        for query in range(span.start, span.stop):
            yield from ((query + step.start, key + step.start) for key in range(span.first, span.last))
    for start, stop in step.long:
        for query in range(start, stop):
            yield from ((query + step.start, key + step.start) for key in range(start, query + 1))
    for tiles in step.tiles:
        for number, places in enumerate(tiles.places):
            for row, query in enumerate(places):
                for column, key in enumerate(places):
                    seen = column <= row if tiles.mask is None else tiles.mask[number, row, column]
                    if query >= 0 and key >= 0 and seen:
                        yield int(query) + step.start, int(key) + step.start


def inner_cuts(draw: st.DrawFn, tokens: int) -> list[int]:
    found: set[int] = draw(st.sets(st.integers(1, max(1, tokens - 1)), max_size=6))
    return sorted(found & set(range(1, tokens)))


@given(FORESTS, st.data(), st.sampled_from((1, 2, 3, 5, 192)), st.integers(0, 4))
def test_each_pair_is_in_one_piece(sequences: list[Tokens], data: st.DataObject, tile: int, depth: int):
    tree = build_tree(sequences)
    of_place = prefix_of_place(tree, sequences)
    follows = ancestors(of_place)
    trunk = list(range(-depth, 0))
    stack = list(trunk)
    cuts = [0, *data.draw(st.composite(inner_cuts)(len(tree))), len(tree)]
    found: Counter[tuple[int, int]] = Counter()
    for start, stop in pairwise(cuts):
        step = make_step(tree, start, stop, depth, tile)
        assert (step.start, step.stop) == (start, stop)
        assert step.tokens.tolist() == tree.tokens[start:stop].tolist()
        assert step.positions.tolist() == (tree.positions[start:stop] + depth).tolist()
        assert all(tiles.places.shape[1] <= tile for tiles in step.tiles)
        found.update(pairs(step, stack))
        stack = stack[: step.kept] + [place + start for place in step.keep.tolist()]
        following = [] if stop == len(tree) else tree.before(stop).tolist()
        assert stack == trunk + following
    expected = {(query, key) for query in range(len(tree)) for key in [*trunk, *follows[query]]}
    assert set(found) == expected
    assert set(found.values()) == {1}


@given(FORESTS, st.sampled_from((1, 3, 8)))
def test_a_padded_query_sees_something(sequences: list[Tokens], tile: int):
    """A query that saw nothing would make NaN, also where nobody looks at it."""
    tree = build_tree(sequences)
    for tiles in make_step(tree, 0, len(tree), tile=tile).tiles:
        assert tiles.mask is None or tiles.mask.any(axis=2).all()
        lengths = (tiles.places >= 0).sum(axis=1)
        assert lengths.max() == tiles.places.shape[1]
        assert lengths.max() < 2 * lengths.min() or lengths.max() <= 1


@given(
    st.integers(0, 20),
    st.integers(1, 60),
    st.sets(st.integers(0, 90)),
    st.integers(1, 70),
    st.integers(1, 9),
)
def test_a_cut_keeps_to_both_limits_and_advances(
    start: int, length: int, places: set[int], tokens_at_once: int, scored_at_once: int
):
    end, scored = start + length, np.array(sorted(places), dtype=np.int64)
    stop = cut(start, end, scored, tokens_at_once, scored_at_once)
    assert start < stop <= end
    assert stop - start <= tokens_at_once
    assert len({place for place in places if start <= place < stop}) <= scored_at_once
    if length <= tokens_at_once and len([place for place in places if place >= start]) <= scored_at_once:
        assert stop == end


@pytest.mark.parametrize(("tokens", "sizes"), [(4, [4, 3, 3]), (5, [5, 5]), (100, [10])])
def test_cuts_make_steps_of_equal_size(tokens: int, sizes: list[int]):
    starts = [0]
    while starts[-1] < 10:
        starts.append(cut(starts[-1], 10, np.zeros(0, dtype=np.int64), tokens, 5))
    assert np.diff(starts).tolist() == sizes


def test_many_choices_of_a_long_question_are_tiles_and_one_span():
    question = np.arange(10, dtype=np.int32)
    tree = build_tree([np.append(question, [50 + choice, 7, 8]).astype(np.int32) for choice in range(4)])
    step = make_step(tree, 0, len(tree), tile=4)
    assert step.long == ((0, 10),)
    assert [(span.start, span.stop, span.first, span.last) for span in step.spans] == [(10, 22, 0, 10)]
    (tiles,) = step.tiles
    assert tiles.places.shape == (4, 3)
    assert tiles.mask is None
