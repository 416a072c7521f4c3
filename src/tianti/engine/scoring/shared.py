"""What the ways of scoring that read each distinct token once have in common: the trunk, and who is scored where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from tianti.engine.batches import BatchLimit, Usage
from tianti.engine.prefix.step_attention import Stack
from tianti.engine.prefix.tree import Places, build_tree
from tianti.engine.requests import Failure
from tianti.engine.scoring.logits import Scored, look_up, readings
from tianti.engine.tokens import Tokens, Window

Results = list[tuple[int, Scored]]
"""Numbers of windows with their scores."""


class SharingScorer(ABC):
    """Scores windows over the prefix tree of what they read.

    What `prepare` found to be common (the trunk) stays on a stack of its own, so that later calls need not read it.
    """

    way: str

    def __init__(self, limit: BatchLimit, usage: Usage) -> None:
        self.limit = limit
        self.usage = usage
        self.trunk: Tokens = np.zeros(0, dtype=np.int32)
        self.trunk_stack = Stack()

    def facts(self) -> Mapping[str, Any]:
        return {"scoring": self.way, "trunk_tokens": len(self.trunk)}

    def prepare(self, windows: Sequence[Window]) -> None:
        self.trunk, self.trunk_stack = common_start(windows), Stack()
        if len(self.trunk) and not self._read_trunk():
            self.trunk, self.trunk_stack = self.trunk[:0], Stack()

    def score(self, windows: Sequence[Window]) -> Iterator[tuple[int, Scored | Failure]]:
        follows = [follows_trunk(window, self.trunk) for window in windows]
        on_trunk = [number for number, does in enumerate(follows) if does]
        others = [number for number, does in enumerate(follows) if not does]
        for numbers, depth, stack in ((on_trunk, len(self.trunk), self.trunk_stack), (others, 0, Stack())):
            left = numbers
            while left:
                # What ran out of memory has its failure, and the others are planned anew without it.
                done: set[int] = set()
                for number, result in self._score([windows[number] for number in left], depth, stack):
                    done.add(left[number])
                    yield left[number], result
                left = [number for number in left if number not in done]

    @abstractmethod
    def _read_trunk(self) -> bool:
        """Put the trunk on its stack; false when memory runs out."""

    @abstractmethod
    def _score(
        self, windows: Sequence[Window], depth: int, stack: Stack
    ) -> Iterator[tuple[int, Scored | Failure]]:
        """The scores of windows that all follow `depth` tokens on the stack; may end early when memory runs out."""


class Sheet:
    """The windows of one tree, and where in it their tokens are scored.

    `scored` are the places at which something is scored, in rising order.
    """

    def __init__(self, windows: Sequence[Window], depth: int) -> None:
        rows = readings(windows)
        self.tree = build_tree([row.tokens[depth:] for row in rows])
        paths: list[Places] = [np.zeros(0, dtype=np.int64)] * len(windows)
        for index, row in enumerate(rows):
            for number in row.windows:
                paths[number] = self.tree.path(index, len(row.tokens) - depth - windows[number].scored)
        places = np.concatenate(paths)
        self._firsts = np.cumsum([0, *(len(path) for path in paths)])
        self._targets = np.concatenate([window.tokens[-window.scored :] for window in windows])
        self._logprobs = np.zeros(len(places), dtype=np.float32)
        self._likeliest = np.zeros(len(places), dtype=np.bool_)
        self.scored, counts = np.unique(places, return_counts=True)
        self._asked = _Groups(np.argsort(places, kind="stable"), counts)
        self._lasts = np.array([path[-1] for path in paths])
        ending = np.bincount(np.searchsorted(self.scored, self._lasts), minlength=len(self.scored))
        self._ending = _Groups(np.argsort(self._lasts, kind="stable"), ending)

    def results(self, here: Places, logits: torch.Tensor) -> Results:
        """The scores of the windows that end at some of the places `here`, given the logits there.

        Args:
            here: some of the `scored` places. Those before them in their windows have been here already.
            logits: len(here) × vocabulary.
        """
        if len(here) == 0:
            return []
        groups = np.searchsorted(self.scored, here)
        rows, asked = self._asked.of(groups)
        self._logprobs[asked], self._likeliest[asked] = look_up(logits, rows, self._targets[asked])
        found = []
        for number in self._ending.of(groups)[1].tolist():
            own = slice(self._firsts[number], self._firsts[number + 1])
            found.append((number, Scored(self._logprobs[own].tolist(), bool(self._likeliest[own].all()))))
        return found

    def through(self, place: int) -> list[int]:
        """The windows that read the token at `place`."""
        return np.flatnonzero((self._lasts >= place) & (self._lasts < self.tree.ends[place])).tolist()


class _Groups:
    """Members in consecutive groups of `counts`."""

    def __init__(self, members: Places, counts: Places) -> None:
        self.members = members
        self.counts = counts
        self.starts = np.cumsum(counts) - counts

    def of(self, groups: Places) -> tuple[Places, Places]:
        """For each member of these groups the index of its group in `groups`, and the member."""
        counts = self.counts[groups]
        index = np.repeat(np.arange(len(groups)), counts)
        within = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
        return index, self.members[self.starts[groups][index] + within]


def common_start(windows: Sequence[Window]) -> Tokens:
    """The tokens with which all windows begin, up to the first of which any is scored on."""
    starts = [window.tokens[: len(window.tokens) - 1 - window.scored] for window in windows]
    if len(starts) < 2:
        return np.zeros(0, dtype=np.int32)
    # Of sorted sequences the first and the last have in common what all have.
    first, last = min(starts, key=tuple), max(starts, key=tuple)
    length = min(len(first), len(last))
    different = np.flatnonzero(first[:length] != last[:length])
    return first[: different[0]] if len(different) else first[:length]


def follows_trunk(window: Window, trunk: Tokens) -> bool:
    """Whether a window begins with the trunk and is scored behind it only."""
    before = len(window.tokens) - 1 - window.scored
    return 0 < len(trunk) <= before and bool((window.tokens[: len(trunk)] == trunk).all())
