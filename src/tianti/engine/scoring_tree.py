"""Scores by the prefix tree: each distinct token is read once, and nothing is padded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch

from tianti.engine.batches import BatchLimit, Usage, free_memory, out_of_memory
from tianti.engine.requests import Failure
from tianti.engine.scoring import Head, Scored, about_equal, look_up, plain_logits, readings
from tianti.engine.steps import Step, cut, make_step
from tianti.engine.tokens import Tokens, Window
from tianti.engine.tree import Places, PrefixTree, build_tree
from tianti.engine.tree_attention import Stack, StepAttention, tree_attention

Result = TypeVar("Result")

Results = list[tuple[int, Scored]]
"""Numbers of windows with their scores."""

SMALLEST_STEP = 16
"""Tokens of a step that is not halved any more when memory runs out."""


class TreeReader:
    """Runs the steps of a prefix tree through a network whose attention can be replaced."""

    def __init__(self, network: Any, head: Head) -> None:
        self.network = network
        self.head = head
        self.device = next(network.parameters()).device
        self.windows: set[int | None] = set()

    @torch.inference_mode()
    def read(self, step: Step, stack: Stack, scored: Places, use: Callable[[torch.Tensor], Result]) -> Result:
        """What `use` makes of the logits (len(scored) × vocabulary) at places of the step.

        Only then what follows the step may be read: where `use` runs out of memory, the step can be read again.
        """
        work = StepAttention(step, stack, self.device)
        at = torch.from_numpy(scored).to(self.device)
        with tree_attention(self.network, work):
            logits = self.head.logits(
                lambda hidden: hidden[0, at],
                input_ids=torch.from_numpy(step.tokens)[None].to(self.device),
                position_ids=work.positions[None],
            )
        self.windows |= work.windows
        result = use(logits)
        work.finish()
        return result

    @torch.inference_mode()
    def is_right(self) -> bool:
        """Whether the logits of a small tree, read in several steps, are those of each sequence alone.

        A family may compute attention without transformers' interface, mix tokens in other ways (state spaces,
        convolutions) or hide what is far away by a mask that is not made here: then they are not.
        """
        if not self.head.found:
            return False
        vocabulary = self.network.get_input_embeddings().weight.shape[0]
        sequences = [np.array(row, dtype=np.int32) % vocabulary for row in _CHECKED]
        tree, stack = build_tree(sequences), Stack()
        found: list[torch.Tensor] = []
        try:
            for start, stop in zip(_CHECKED_CUTS, [*_CHECKED_CUTS[1:], len(tree)], strict=True):
                step = make_step(tree, start, stop, tile=4)
                self.read(step, stack, np.arange(stop - start), found.append)
            alone = [plain_logits(self.network, tokens) for tokens in sequences]
        except (
            NotImplementedError,
            TypeError,
            ValueError,
            KeyError,
            RuntimeError,
            AttributeError,
            IndexError,
        ):
            return False
        logits = torch.cat(found)
        return self._sees_windows() and all(
            about_equal(logits[tree.path(number, 0)], reference) for number, reference in enumerate(alone)
        )

    def _sees_windows(self) -> bool:
        """Whether layers that see a part of the text only, which no small tree can show, say so to their attention."""
        configs = [part.config for part in self.network.modules() if hasattr(part, "config")]
        chunked = any(getattr(config, "attention_chunk_size", None) for config in configs)
        windowed = any(_has_window(config) for config in configs)
        return not chunked and (not windowed or self.windows != {None})


_CHECKED = (
    (1, 8, 15, 22, 29, 36, 43, 50),
    (1, 8, 15, 22, 29, 36, 3, 4, 5),
    (1, 8, 15, 22, 29, 36, 3, 4, 7, 9),
    (1, 8, 15, 2),
    (6, 5, 4, 3, 2, 1, 0, 1, 2, 3),
)
"""Sequences with common beginnings, some of them longer than a tile."""

_CHECKED_CUTS = (0, 2, 9)


def _has_window(config: Any) -> bool:
    if (
        getattr(config, "sliding_window", None) is None
        or getattr(config, "use_sliding_window", True) is False
    ):
        return False
    kinds = getattr(config, "layer_types", None)
    return kinds is None or "sliding_attention" in kinds


class TreeScorer:
    """Scores windows over the prefix tree of what they read.

    What `prepare` found to be common (the trunk) stays on a stack of its own, so that later calls need not read it.
    """

    def __init__(self, reader: TreeReader, limit: BatchLimit, usage: Usage) -> None:
        self.reader = reader
        self.limit = limit
        self.usage = usage
        self.trunk: Tokens = np.zeros(0, dtype=np.int32)
        self.trunk_stack = Stack()

    def facts(self) -> Mapping[str, Any]:
        return {"scoring": "tree", "trunk_tokens": len(self.trunk)}

    def prepare(self, windows: Sequence[Window]) -> None:
        self.trunk, self.trunk_stack = _common_start(windows), Stack()
        if len(self.trunk) == 0:
            return
        # Something has to follow the trunk, or nothing of it would be kept.
        tree = build_tree([np.append(self.trunk, np.int32(0))])
        nothing = np.zeros(0, dtype=np.int64)
        for _, results in self._read(tree, nothing, self.trunk_stack, 0, len(self.trunk), _no_results):
            if isinstance(results, Failure):
                self.trunk, self.trunk_stack = self.trunk[:0], Stack()

    def score(self, windows: Sequence[Window]) -> Iterator[tuple[int, Scored | Failure]]:
        follows = [_follows(window, self.trunk) for window in windows]
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

    def _score(
        self, windows: Sequence[Window], depth: int, stack: Stack
    ) -> Iterator[tuple[int, Scored | Failure]]:
        """The scores of windows that all follow `depth` tokens on the stack; ends early when memory runs out."""
        with self.usage.timed_planning():
            sheet = _Sheet(windows, depth)
        for start, results in self._read(
            sheet.tree, sheet.scored, stack, depth, len(sheet.tree), sheet.results
        ):
            if isinstance(results, Failure):
                yield from ((number, results) for number in sheet.through(start))
                return
            yield from results

    def _read(
        self,
        tree: PrefixTree,
        scored: Places,
        stack: Stack,
        depth: int,
        end: int,
        use: Callable[[int, int, torch.Tensor], Results],
    ) -> Iterator[tuple[int, Results | Failure]]:
        """Where each step up to `end` starts, and what `use` makes of where it starts and stops and of its logits.

        The logits are those at the scored places in between. A failure is the last.
        """
        longest = int(tree.lengths.max())
        start = 0
        while start < end:
            with self.usage.timed_planning():
                tokens = self.limit.tokens if self.limit.rows is None else self.limit.rows * longest
                stop = cut(start, end, scored, tokens, self.limit.scored)
                step = make_step(tree, start, stop, depth)
                at = scored[slice(*np.searchsorted(scored, (start, stop)))] - start
            results = self._attempt(step, stack, at, partial(use, start, stop))
            if results is not None:
                yield start, results
                start = stop
            elif stop - start <= SMALLEST_STEP:
                tokens = depth + int(tree.positions[start]) + 1
                yield start, Failure("error", f"out of memory after {tokens} tokens", tokens=tokens)
                return
            else:
                # Not `scored`: a step in which little is scored does not say how many logits would fit.
                self.limit = replace(self.limit, rows=None, tokens=(stop - start) // 2)

    def _attempt(
        self, step: Step, stack: Stack, scored: Places, use: Callable[[torch.Tensor], Results]
    ) -> Results | None:
        """What `use` makes of the logits of a step, or None when memory runs out."""
        self.usage.limit = self.limit
        try:
            with self.usage.timed():
                result = self.reader.read(step, stack, scored, use)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
        else:
            self.usage.read(len(step.tokens), len(step.tokens), rows=1)
            return result
        # Outside of `except`, whose traceback would keep the tensors of the failed attempt alive.
        free_memory()
        self.usage.halvings += 1
        return None


class _Sheet:
    """The windows of one tree, and where in it their tokens are scored.

    `scored` are the places at which something is scored, in rising order.
    """

    def __init__(self, windows: Sequence[Window], depth: int) -> None:
        self.windows = windows
        rows = readings(windows)
        self.tree = build_tree([row.tokens[depth:] for row in rows])
        lengths = {
            number: (index, len(row.tokens) - depth)
            for index, row in enumerate(rows)
            for number in row.windows
        }
        paths = []
        for number, window in enumerate(windows):
            index, length = lengths[number]
            paths.append(self.tree.path(index, length - window.scored))
        self._places = np.concatenate(paths)
        self._firsts = np.cumsum([0, *(len(path) for path in paths)])
        self._lasts = np.array([path[-1] for path in paths])
        self._order = np.argsort(self._lasts, kind="stable")
        self._targets = np.concatenate([window.tokens[-window.scored :] for window in windows])
        self._logprobs = np.zeros(len(self._places), dtype=np.float32)
        self._likeliest = np.zeros(len(self._places), dtype=np.bool_)
        self._by_place = np.argsort(self._places, kind="stable")
        self.scored = np.unique(self._places)

    def results(self, start: int, stop: int, logits: torch.Tensor) -> Results:
        """The scores of the windows that end between two places, given the logits at the scored places there."""
        sorted_places = self._places[self._by_place]
        asked = self._by_place[slice(*np.searchsorted(sorted_places, (start, stop)))]
        here = self.scored[slice(*np.searchsorted(self.scored, (start, stop)))]
        rows = np.searchsorted(here, self._places[asked])
        if len(asked):
            self._logprobs[asked], self._likeliest[asked] = look_up(logits, rows, self._targets[asked])
        found = []
        for number in self._order[slice(*np.searchsorted(self._lasts[self._order], (start, stop)))].tolist():
            own = slice(self._firsts[number], self._firsts[number + 1])
            found.append((number, Scored(self._logprobs[own].tolist(), bool(self._likeliest[own].all()))))
        return found

    def through(self, place: int) -> list[int]:
        """The windows that read the token at `place`."""
        return np.flatnonzero((self._lasts >= place) & (self._lasts < self.tree.ends[place])).tolist()


def _no_results(start: int, stop: int, logits: torch.Tensor) -> Results:
    return []


def _common_start(windows: Sequence[Window]) -> Tokens:
    """The tokens with which all windows begin, up to the first of which any is scored on."""
    starts = [window.tokens[: len(window.tokens) - 1 - window.scored] for window in windows]
    if len(starts) < 2:
        return np.zeros(0, dtype=np.int32)
    # Of sorted sequences the first and the last have in common what all have.
    first, last = min(starts, key=tuple), max(starts, key=tuple)
    length = min(len(first), len(last))
    different = np.flatnonzero(first[:length] != last[:length])
    return first[: different[0]] if len(different) else first[:length]


def _follows(window: Window, trunk: Tokens) -> bool:
    """Whether a window begins with the trunk and is scored behind it only."""
    before = len(window.tokens) - 1 - window.scored
    return 0 < len(trunk) <= before and bool((window.tokens[: len(trunk)] == trunk).all())
