"""A prefix tree read node by node: nodes whose parents have been read are the rows of a batch.

Nodes below those of a batch come right after it, before the rest of their own generation, so that what has to be kept
is what the batches on one way down the tree have read, however many sequences there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tianti.engine.batches import PADDING_WORTH_A_BATCH, BatchLimit
from tianti.engine.prefix.tree import Places, PrefixTree


@dataclass(frozen=True)
class Rows:
    """One batch, of n rows that read up to `length` tokens behind up to `past` that are on the stack.

    What a row follows stands at the end of its past and what it reads at the beginning of the rest, so that tokens
    which follow each other are neighbours.
    """

    tokens: Places
    """n × length, padded on the right."""
    lengths: Places
    """Tokens that each row reads."""
    slots: Places
    """n × past: places on the stack, padded on the left."""
    depths: Places
    """Tokens that each row follows."""
    scored: Places
    """Places in the flattened `tokens` at which logits are asked for."""
    kept: int
    keep: Places
    """The stack is cut to its first `kept` entries, then the tokens at the flat places `keep` are put on it."""


@dataclass
class _Generation:
    """Nodes yet to be read, whose parents are on the stack, the longest first.

    `paths`: for each parent the places on the stack of all that its children follow. `base`: the entries of the stack
    that they need, all together.
    """

    nodes: list[int]
    paths: dict[int, Places]
    base: int


class NodeBatches:
    """The batches of a tree whose sequences all follow `depth` tokens on the stack.

    `take` plans the next one under a limit; then either `done` or `skip` is called, or `take` with a smaller limit.
    """

    def __init__(self, tree: PrefixTree, scored: Places, depth: int = 0) -> None:
        self.tree = tree
        self.scored = scored
        self._sizes = np.diff(tree.node_places, append=len(tree))
        self._depths = tree.positions[tree.node_places] + depth
        self._longest = depth + int(tree.lengths.max(initial=0))
        # Where in `scored` each node begins, and where in `_by_parent` the children of each (of -1 first).
        self._first_scored = np.searchsorted(scored, np.append(tree.node_places, len(tree)))
        self._by_parent = np.lexsort((-self._sizes, tree.node_parents))
        numbers = np.arange(-1, len(tree.node_places) + 1)
        self._first_child = np.searchsorted(tree.node_parents[self._by_parent], numbers)
        self._generations = [_Generation(self._children(-1), {-1: np.arange(depth)}, depth)]
        self.batch: list[int] = []

    def take(self, limit: BatchLimit) -> Rows | None:
        """The next batch; None when all is read. It may be larger than the limit only if it is one row."""
        while self._generations and not self._generations[-1].nodes:
            self._generations.pop()
        if not self._generations:
            return None
        nodes = self._generations[-1].nodes
        self.batch = nodes[: self._count(nodes, limit)]
        return self._rows()

    def here(self) -> Places:
        """The scored places of the batch, row by row."""
        return np.concatenate([self._scored_in(node) for node in self.batch])

    def done(self) -> None:
        """The batch has been read, and what follows it can be."""
        generation = self._generations[-1]
        del generation.nodes[: len(self.batch)]
        paths, children, top = {}, [], generation.base
        for node in self.batch:
            below = self._children(node)
            if below:
                above = generation.paths[int(self.tree.node_parents[node])]
                size = int(self._sizes[node])
                paths[node] = np.concatenate((above, np.arange(top, top + size)))
                children += below
                top += size
        if children:
            children.sort(key=lambda node: -self._sizes[node])
            self._generations.append(_Generation(children, paths, top))

    def skip(self) -> int:
        """Leave out the only node of the batch, and all below it; the place of its first token."""
        (node,) = self.batch
        del self._generations[-1].nodes[:1]
        return int(self.tree.node_places[node])

    def _children(self, node: int) -> list[int]:
        """The longest first."""
        first, last = self._first_child[node + 1 : node + 3]
        children: list[int] = self._by_parent[first:last].tolist()
        return children

    def _scored_in(self, node: int) -> Places:
        first, last = self._first_scored[node : node + 2]
        return self.scored[first:last]

    def _count(self, nodes: Sequence[int], limit: BatchLimit) -> int:
        """How many of `nodes` make the next batch: at least one."""
        length = int(self._sizes[nodes[0]])
        past = padding = scored = 0
        for count, node in enumerate(nodes, start=1):
            past = max(past, int(self._depths[node]))
            padding += length - int(self._sizes[node])
            scored += len(self._scored_in(node))
            if count == 1:
                continue
            if limit.rows is not None:
                full = count > limit.rows
            else:
                full = (
                    count * length > limit.tokens
                    or count * (past + length) > limit.cached
                    or scored > limit.scored
                    or padding > max(PADDING_WORTH_A_BATCH, count * length // 8)
                )
            # No row may come to stand where no sequence reaches: a network may have no positions there.
            if full or past + length > self._longest:
                return count - 1
        return len(nodes)

    def _rows(self) -> Rows:
        generation, nodes = self._generations[-1], self.batch
        lengths, depths = self._sizes[nodes], self._depths[nodes]
        tokens = np.zeros((len(nodes), int(lengths.max())), dtype=np.int64)
        slots = np.zeros((len(nodes), int(depths.max())), dtype=np.int64)
        scored, keep = [], []
        for row, node in enumerate(nodes):
            first, size = int(self.tree.node_places[node]), int(lengths[row])
            tokens[row, :size] = self.tree.tokens[first : first + size]
            path = generation.paths[int(self.tree.node_parents[node])]
            slots[row, slots.shape[1] - len(path) :] = path
            start = row * tokens.shape[1]
            scored.append(self._scored_in(node) - first + start)
            if self._children(node):
                keep.append(np.arange(start, start + size))
        return Rows(
            tokens=tokens,
            lengths=lengths,
            slots=slots,
            depths=depths,
            scored=np.concatenate(scored),
            kept=generation.base,
            keep=np.concatenate(keep) if keep else np.zeros(0, dtype=np.int64),
        )
