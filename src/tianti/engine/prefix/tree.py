"""A prefix tree of token sequences, laid out in depth-first order so that each distinct token stands in it once.

    the cat sat      ┐            the cat ─┬─ sat            place     0   1   2   3   4   5
    the cat ran off  ├─▶                   └─ ran off  ─▶    token     the cat sat ran off a
    a dog            ┘            a dog                      position  0   1   2   2   3   0  …
                                                             end       5   5   3   5   5   7

A token's `position` is its depth: the number of tokens before it in its sequence. Token j is read by token i exactly
when `j <= i < end[j]`, which is all that attention has to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.engine.tokens import Tokens

Places = NDArray[np.int64]


@dataclass(frozen=True)
class PrefixTree:
    """Distinct tokens in depth-first order, and the nodes (unbranched runs of tokens) that they form.

    `tokens`, `positions`, `ends`: one number per token. `node_places`, `node_parents`: the place of each node's first
    token, and the number of the node that it follows (-1: none), in depth-first order. `leaves`: for each sequence
    the node that it ends with, `lengths` its number of tokens.
    """

    tokens: Places
    positions: Places
    ends: Places
    node_places: Places
    node_parents: Places
    leaves: Places
    lengths: Places

    def __len__(self) -> int:
        return len(self.tokens)

    def path(self, sequence: int, start: int) -> Places:
        """The places of a sequence's tokens from position `start` on."""
        return self._up(int(self.leaves[sequence]), int(self.lengths[sequence]), start)

    def before(self, place: int) -> Places:
        """The places of all tokens that the token at `place` follows: as many as its position says."""
        node = int(np.searchsorted(self.node_places, place, side="right")) - 1
        return self._up(node, int(self.positions[place]), 0)

    def _up(self, node: int, stop: int, start: int) -> Places:
        """The places of positions `start` to `stop` on the way from the root to `node`."""
        runs = []
        while stop > start:
            place = int(self.node_places[node])
            first = int(self.positions[place])
            lowest = max(first, start)
            runs.append(np.arange(place + lowest - first, place + stop - first))
            node, stop = int(self.node_parents[node]), lowest
        return np.concatenate(runs[::-1]) if runs else np.zeros(0, dtype=np.int64)


def build_tree(sequences: Sequence[Tokens]) -> PrefixTree:
    """The prefix tree of `sequences`, each of at least one token."""
    order = sorted(range(len(sequences)), key=lambda number: sequences[number].astype(">u4").tobytes())
    nodes = _Nodes()
    leaf_of = {}
    previous: Tokens | None = None
    for rank, number in enumerate(order):
        tokens = sequences[number]
        shared = 0 if previous is None else _common_length(previous, tokens)
        leaf_of[number] = nodes.add(rank, shared, len(tokens))
        previous = tokens

    # A node stands where its first sequence does in the order, below the nodes that start before it.
    first, starts, stops = (
        np.array(column, dtype=np.int64) for column in (nodes.first, nodes.start, nodes.stop)
    )
    depth_first = np.lexsort((starts, first))
    rank_of = np.empty_like(depth_first)
    rank_of[depth_first] = np.arange(len(depth_first))
    parents = np.array(nodes.parent, dtype=np.int64)[depth_first]
    parents = np.where(parents < 0, -1, rank_of[parents])
    first, starts, stops = first[depth_first], starts[depth_first], stops[depth_first]
    sizes = stops - starts
    places = np.cumsum(sizes) - sizes
    runs = [
        sequences[order[number]][start:stop]
        for number, start, stop in zip(first.tolist(), starts.tolist(), stops.tolist(), strict=True)
    ]
    ends = _subtree_ends(parents, places + sizes)
    total = int(sizes.sum())
    return PrefixTree(
        tokens=np.concatenate(runs).astype(np.int64) if runs else np.zeros(0, dtype=np.int64),
        positions=np.arange(total) - np.repeat(places - starts, sizes),
        ends=np.repeat(ends, sizes),
        node_places=places,
        node_parents=parents,
        leaves=rank_of[[leaf_of[number] for number in range(len(sequences))]],
        lengths=np.array([len(tokens) for tokens in sequences], dtype=np.int64),
    )


class _Nodes:
    """Nodes under construction from sequences that come in sorted order.

    A node is the run of tokens from `start` to `stop` of the sequence of rank `first`, below `parent`.
    """

    def __init__(self) -> None:
        self.first: list[int] = []
        self.start: list[int] = []
        self.stop: list[int] = []
        self.parent: list[int] = []
        self._open: list[int] = []

    def add(self, rank: int, shared: int, length: int) -> int:
        """Add the sequence of `rank`, which shares its first `shared` tokens with the one before; its last node."""
        while self._open and self.start[self._open[-1]] >= shared:
            self._open.pop()
        if self._open and self.stop[self._open[-1]] > shared:
            self._split(shared)
        if length == shared:
            return self._open[-1]
        parent = self._open[-1] if self._open else -1
        return self._push(rank, shared, length, parent)

    def _split(self, at: int) -> None:
        """Cut the open node in two: what was before `at` becomes the parent of what follows."""
        lower = self._open.pop()
        upper = self._push(self.first[lower], self.start[lower], at, self.parent[lower])
        self.start[lower], self.parent[lower] = at, upper

    def _push(self, first: int, start: int, stop: int, parent: int) -> int:
        for column, value in zip(
            (self.first, self.start, self.stop, self.parent), (first, start, stop, parent), strict=True
        ):
            column.append(value)
        self._open.append(len(self.first) - 1)
        return len(self.first) - 1


def _common_length(one: Tokens, other: Tokens) -> int:
    length = min(len(one), len(other))
    different = one[:length] != other[:length]
    first = int(different.argmax()) if length else 0
    return first if length and different[first] else length


def _subtree_ends(parents: Places, stops: Places) -> Places:
    """Where the tokens below each node end, from where those of the node itself do; nodes in depth-first order."""
    ends = stops.tolist()
    above = parents.tolist()
    for node in range(len(ends) - 1, -1, -1):
        if above[node] >= 0:
            ends[above[node]] = max(ends[above[node]], ends[node])
    return np.array(ends, dtype=np.int64)
