"""Random forests of token sequences for the tests of the prefix tree, and what they hold said in the slowest way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from tianti.engine.prefix.tree import PrefixTree
from tianti.engine.tokens import Tokens

Prefix = tuple[int, ...]

_STEMS = ((), (1,), (1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 9), (7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7))


def _grown(stem: Prefix, rest: list[int]) -> Tokens:
    return np.array([*stem, *rest], dtype=np.int32)


SEQUENCES = st.builds(
    _grown, st.sampled_from(_STEMS), st.lists(st.sampled_from((0, 1, 2, 70_000)), max_size=9)
).filter(len)
"""Sequences that often share a beginning, are one another's beginning, or are the same."""

FORESTS = st.lists(SEQUENCES, min_size=1, max_size=14)


def prefixes(sequences: Sequence[Tokens]) -> set[Prefix]:
    """Every distinct beginning of the sequences: what a prefix tree holds one token for."""
    return {tuple(row[:stop].tolist()) for row in sequences for stop in range(1, len(row) + 1)}


def prefix_of_place(tree: PrefixTree, sequences: Sequence[Tokens]) -> list[Prefix]:
    """For each place of the tree the tokens from the root to it, by the paths of the sequences."""
    found: dict[int, Prefix] = {}
    for number, row in enumerate(sequences):
        for position, place in enumerate(tree.path(number, 0).tolist()):
            prefix = tuple(row[: position + 1].tolist())
            assert found.setdefault(place, prefix) == prefix
    assert sorted(found) == list(range(len(tree)))
    return [found[place] for place in range(len(tree))]


def ancestors(of_place: Sequence[Prefix]) -> list[set[int]]:
    """For each place the places that it follows, itself among them."""
    place_of = {prefix: place for place, prefix in enumerate(of_place)}
    return [{place_of[prefix[:stop]] for stop in range(1, len(prefix) + 1)} for prefix in of_place]
