"""Scores by the prefix tree: each distinct token is read once, and nothing is padded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch

from tianti.engine.batches import BatchLimit, Usage, free_memory, out_of_memory
from tianti.engine.prefix.step_attention import Stack, StepAttention, tree_attention
from tianti.engine.prefix.steps import Step, cut, make_step
from tianti.engine.prefix.tree import Places, PrefixTree, build_tree
from tianti.engine.requests import Failure
from tianti.engine.scoring.logits import CANNOT_BE_READ_SO, Head, Scored, about_equal, plain_logits
from tianti.engine.scoring.shared import Results, SharingScorer, Sheet
from tianti.engine.tokens import Window

Result = TypeVar("Result")

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
        except CANNOT_BE_READ_SO:
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


class TreeScorer(SharingScorer):
    """Scores windows by steps of the prefix tree of what they read."""

    way = "tree"

    def __init__(self, reader: TreeReader, limit: BatchLimit, usage: Usage) -> None:
        super().__init__(limit, usage)
        self.reader = reader

    def _read_trunk(self) -> bool:
        # Something has to follow the trunk, or nothing of it would be kept.
        tree = build_tree([np.append(self.trunk, np.int32(0))])
        nothing = np.zeros(0, dtype=np.int64)
        steps = self._read(tree, nothing, self.trunk_stack, 0, len(self.trunk), lambda *_: [])
        return not any(isinstance(results, Failure) for _, results in steps)

    def _score(
        self, windows: Sequence[Window], depth: int, stack: Stack
    ) -> Iterator[tuple[int, Scored | Failure]]:
        with self.usage.timed_planning():
            sheet = Sheet(windows, depth)
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
        use: Callable[[Places, torch.Tensor], Results],
    ) -> Iterator[tuple[int, Results | Failure]]:
        """Where each step up to `end` starts, and what `use` makes of the scored places in it and their logits.

        A failure is the last.
        """
        longest = int(tree.lengths.max())
        start = 0
        while start < end:
            with self.usage.timed_planning():
                tokens = self.limit.tokens if self.limit.rows is None else self.limit.rows * longest
                stop = cut(start, end, scored, tokens, self.limit.scored)
                step = make_step(tree, start, stop, depth)
                here = scored[slice(*np.searchsorted(scored, (start, stop)))]
            results = self._attempt(step, stack, here - start, partial(use, here))
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
