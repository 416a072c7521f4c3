"""The prefix tree against one made of sets and dictionaries."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forests import FORESTS, ancestors, prefix_of_place, prefixes
from tianti.engine.prefix.tree import build_tree
from tianti.engine.tokens import Tokens


@given(FORESTS)
def test_each_distinct_prefix_stands_in_it_once(sequences: list[Tokens]):
    tree = build_tree(sequences)
    assert len(tree) == len(prefixes(sequences))
    of_place = prefix_of_place(tree, sequences)
    assert len(set(of_place)) == len(of_place)
    assert tree.tokens.tolist() == [prefix[-1] for prefix in of_place]
    assert tree.positions.tolist() == [len(prefix) - 1 for prefix in of_place]


@given(FORESTS, st.integers(0, 25))
def test_a_path_gives_back_its_sequence(sequences: list[Tokens], start: int):
    tree = build_tree(sequences)
    assert tree.lengths.tolist() == [len(row) for row in sequences]
    for number, row in enumerate(sequences):
        path = tree.path(number, start)
        assert tree.tokens[path].tolist() == row[start:].tolist()
        assert tree.positions[path].tolist() == list(range(start, len(row)))
        assert (np.diff(path) > 0).all()


@given(FORESTS)
def test_a_token_is_read_by_those_up_to_its_end(sequences: list[Tokens]):
    tree = build_tree(sequences)
    follows = ancestors(prefix_of_place(tree, sequences))
    for place in range(len(tree)):
        readers = {other for other in range(len(tree)) if place in follows[other]}
        assert readers == set(range(place, tree.ends[place]))
        assert tree.before(place).tolist() == sorted(follows[place] - {place})


@given(FORESTS)
def test_nodes_are_runs_in_which_nothing_branches_or_ends(sequences: list[Tokens]):
    tree = build_tree(sequences)
    of_place = prefix_of_place(tree, sequences)
    wholes = {tuple(row.tolist()) for row in sequences}
    stops = [*tree.node_places[1:].tolist(), len(tree)]
    assert tree.node_places[0] == 0
    for node, (first, stop) in enumerate(zip(tree.node_places.tolist(), stops, strict=True)):
        for place in range(first, stop - 1):
            assert of_place[place + 1][:-1] == of_place[place]
        parent = int(tree.node_parents[node])
        above = () if parent < 0 else of_place[stops[parent] - 1]
        assert of_place[first][:-1] == above
        assert parent < node
    for row, leaf in zip(sequences, tree.leaves.tolist(), strict=True):
        # A sequence may end within a node: it is then where a longer one goes on without branching.
        assert tuple(row.tolist()) in wholes
        assert of_place[stops[leaf] - 1][: len(row)] == tuple(row.tolist())


@given(FORESTS, st.randoms(use_true_random=False))
def test_the_order_of_the_sequences_does_not_matter(sequences: list[Tokens], random: object):
    order = list(range(len(sequences)))
    random.shuffle(order)  # type: ignore[attr-defined]
    tree, shuffled = build_tree(sequences), build_tree([sequences[number] for number in order])
    assert tree.tokens.tolist() == shuffled.tokens.tolist()
    assert tree.ends.tolist() == shuffled.ends.tolist()
    for place, number in enumerate(order):
        assert tree.path(number, 0).tolist() == shuffled.path(place, 0).tolist()


def test_the_tree_of_the_picture():
    words = {"the": 5, "cat": 3, "sat": 9, "ran": 8, "off": 7, "a": 6, "dog": 1}
    texts = ("the cat sat", "the cat ran off", "a dog")
    tree = build_tree([np.array([words[word] for word in text.split()], dtype=np.int32) for text in texts])
    assert tree.tokens.tolist() == [5, 3, 8, 7, 9, 6, 1]
    assert tree.positions.tolist() == [0, 1, 2, 3, 2, 0, 1]
    assert tree.ends.tolist() == [5, 5, 4, 4, 5, 7, 7]


def test_no_sequences_make_an_empty_tree():
    tree = build_tree([])
    assert len(tree) == 0
    assert len(tree.leaves) == 0
