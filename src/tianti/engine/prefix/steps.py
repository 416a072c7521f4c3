"""A prefix tree cut into steps: what one forward pass of the network reads, and who attends to whom in it.

A step is a stretch of the tree's depth-first order. What its tokens follow is either in the step itself, or it is on
the way from the root to the step's first token, whose keys and values an earlier step has put on a stack. Attention
falls into pieces that need no mask, or one that is the same for all layers:

- `Span`: a run of queries that all see the whole of a run of keys (what branches from a long run of tokens);
- `long`: a run of tokens that see each other causally;
- `Tiles`: small subtrees, several in a batch, with the mask of who follows whom.

Every token is in one long run or tile, and in as many spans as it takes to see all that it follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.engine.prefix.tree import Places, PrefixTree

TILE = 192
"""Tokens of the largest subtree whose attention is computed under one dense mask."""


@dataclass(frozen=True)
class Span:
    """The queries from `start` to `stop` of the step see all keys from `first` to `last`, of the step or the stack."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Tiles:
    """Subtrees of similar size: `places` (tiles × length) in the step, -1 where a tile is shorter.

    `mask` (tiles × length × length) says which key each query sees; None when all see each other causally.
    """

    places: Places
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Step:
    """The tokens from `start` to `stop` of the tree in its order, and the pieces of their attention.

    `keep`: the stack is cut to its first `kept` entries, then the tokens at the places `keep` are put on it.
    """

    start: int
    stop: int
    tokens: Places
    positions: Places
    stacked: tuple[Span, ...]
    spans: tuple[Span, ...]
    long: tuple[tuple[int, int], ...]
    tiles: tuple[Tiles, ...]
    kept: int
    keep: Places


def cut(start: int, end: int, scored: Places, tokens_at_once: int, scored_at_once: int) -> int:
    """Where the step that begins at `start` stops: steps of equal size up to `end` that keep to both limits.

    Args:
        scored: the places at which something is scored, in rising order.
    """
    steps = -(-(end - start) // tokens_at_once)
    stop = start + -(-(end - start) // steps)
    first = int(np.searchsorted(scored, start))
    if first + scored_at_once < len(scored):
        stop = min(stop, int(scored[first + scored_at_once]))
    return stop


def make_step(tree: PrefixTree, start: int, stop: int, depth: int = 0, tile: int = TILE) -> Step:
    """The step of the tree's tokens from `start` to `stop`.

    Args:
        depth: tokens on the stack that come before the tree: all sequences follow them.
        tile: tokens of the largest tile.
    """
    positions = tree.positions[start:stop] + depth
    ends = np.minimum(tree.ends[start:stop], stop) - start
    nodes = tree.node_places[np.searchsorted(tree.node_places, start, side="right") :]
    starts = [0, *(nodes[: np.searchsorted(nodes, stop)] - start).tolist()]
    spans, long, tiles = _pieces(starts, ends, tile)
    kept, keep = _kept(tree, start, stop)
    return Step(
        start=start,
        stop=stop,
        tokens=tree.tokens[start:stop],
        positions=positions,
        stacked=tuple(_stacked(positions, ends)),
        spans=tuple(spans),
        long=tuple(long),
        tiles=tuple(_tiles(tiles, ends)),
        kept=kept + depth,
        keep=keep,
    )


def _stacked(positions: Places, ends: Places) -> Iterator[Span]:
    """The spans over keys on the stack. A token that follows none of the step sees as many as its position says."""
    roots = [0]
    while (following := int(ends[roots[-1]])) < len(ends):
        roots.append(following)
    # The later a root, the sooner it branches off: those that see the most of the stack come first.
    seen = 0
    for root in reversed(roots):
        if positions[root] > seen:
            yield Span(0, int(ends[root]), seen, int(positions[root]))
            seen = int(positions[root])


def _pieces(
    starts: Sequence[int], ends: Places, tile: int
) -> tuple[list[Span], list[tuple[int, int]], list[tuple[int, int]]]:
    """Spans, long runs and tiles (start, stop) of a step whose unbranched runs of tokens begin at `starts`."""
    spans: list[Span] = []
    long: list[tuple[int, int]] = []
    tiles: list[tuple[int, int]] = []
    stops = dict(zip(starts, [*starts[1:], len(ends)], strict=True))
    place = 0
    while place < len(ends):
        run_end, end = stops[place], int(ends[place])
        if end - place <= tile:
            tiles.append((place, end))
            place = end
            continue
        (tiles if run_end - place <= tile else long).append((place, run_end))
        if end > run_end:
            spans.append(Span(run_end, end, place, run_end))
        place = run_end
    return spans, long, tiles


def _tiles(pieces: Sequence[tuple[int, int]], ends: Places) -> Iterator[Tiles]:
    """The tiles in batches: those of one batch differ in length by less than twice."""
    batches: dict[int, list[tuple[int, int]]] = {}
    for start, stop in pieces:
        batches.setdefault((stop - start - 1).bit_length(), []).append((start, stop))
    for _, batch in sorted(batches.items()):
        starts, stops = np.array(batch).T
        length = int((stops - starts).max())
        local = np.arange(length)
        places = starts[:, None] + local
        there = places < stops[:, None]
        local_ends = np.where(there, ends[np.where(there, places, 0)] - starts[:, None], length)
        # What is not there sees all before it: a query that saw nothing would make NaN.
        follows = (local[:, None] >= local) & ((local[:, None] < local_ends[:, None, :]) | ~there[:, :, None])
        branching = bool((local_ends < (stops - starts)[:, None]).any())
        yield Tiles(np.where(there, places, -1), follows if branching else None)


def _kept(tree: PrefixTree, start: int, stop: int) -> tuple[int, Places]:
    """How much of the stack the step after this one needs, and what of this step it needs on it."""
    if stop == len(tree):
        return 0, np.zeros(0, dtype=np.int64)
    path = tree.before(stop)
    kept = int(np.searchsorted(path, start))
    return kept, path[kept:] - start
