"""How a network reads what texts share, their prompts, and one token of each text in progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tianti.engine.generation.slots import DecodeAttention, PrefillAttention, Segment, Slots
from tianti.engine.prefix.step_attention import AtWork, Stack, StepAttention, tree_attention
from tianti.engine.prefix.steps import Step, cut, make_step
from tianti.engine.prefix.tree import PrefixTree, build_tree
from tianti.engine.scoring.logits import Head, about_equal, plain_logits
from tianti.engine.tokens import Tokens

_NOWHERE = np.zeros(0, dtype=np.int64)


class SlotReader:
    """Runs a network whose attention can be replaced over trunks, prompts and single tokens."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.head = Head(network)
        self.device = next(network.parameters()).device

    @torch.inference_mode()
    def read_trunk(self, tokens: Tokens, stack: Stack, at_once: int) -> None:
        """Put tokens on an empty stack, `at_once` of them in one pass."""
        # Something has to follow, or nothing would be kept.
        tree = build_tree([np.append(tokens, np.int32(0))])
        self._read(tree, len(tokens), 0, at_once, lambda step: StepAttention(step, stack, self.device))

    @torch.inference_mode()
    def read_segment(self, slots: Slots, tokens: Tokens, at_once: int) -> Segment:
        """Tokens behind the trunk, for several rows."""
        tree, depth, length = build_tree([np.append(tokens, np.int32(0))]), slots.depth, len(tokens)
        self._read(tree, length, depth, at_once, lambda step: StepAttention(step, slots.stack, self.device))
        layers = slots.stack.layers.items()
        return Segment(
            length,
            {
                layer: (key[:, depth : depth + length].clone(), value[:, depth : depth + length].clone())
                for layer, (key, value) in layers
            },
        )

    @torch.inference_mode()
    def prefill(
        self,
        slots: Slots,
        rows: Sequence[int],
        texts: Sequence[Tokens],
        at_once: int,
        segment: Segment | None = None,
    ) -> int:
        """Let rows hold the tokens of texts, each distinct one computed once; gives how many those are.

        All of them follow the segment, if there is one.
        """
        depth = slots.depth
        if segment is not None:
            slots.stack.replace(depth, segment.layers)
            depth += segment.length
        tree = build_tree(texts)
        lengths = [len(text) for text in texts]
        sources = np.concatenate([tree.path(number, 0) for number in range(len(texts))])
        targets = np.repeat(rows, lengths)
        places = np.concatenate([np.arange(length) for length in lengths])

        def attention(step: Step) -> PrefillAttention:
            here = (sources >= step.start) & (sources < step.stop)
            kept = (targets[here], places[here], sources[here] - step.start)
            return PrefillAttention(
                step, slots, self.device, tuple(torch.from_numpy(part).to(self.device) for part in kept)
            )

        self._read(tree, len(tree), depth, at_once, attention)
        return len(tree)

    @torch.inference_mode()
    def decode(
        self, slots: Slots, held: Sequence[int], segments: Sequence[Segment | None], tokens: Sequence[int]
    ) -> Tensor:
        """Logits (rows × vocabulary) behind one more token of each of the first rows, which hold `held` tokens."""
        work = DecodeAttention(slots, held, segments, self.device)
        return self._run(work, torch.tensor(tokens), work.positions, lambda hidden: hidden[0])

    def _read(
        self, tree: PrefixTree, end: int, depth: int, at_once: int, attention: Callable[[Step], StepAttention]
    ) -> None:
        start = 0
        while start < end:
            stop = cut(start, end, _NOWHERE, at_once, 1)
            step = make_step(tree, start, stop, depth)
            work = attention(step)
            # The logits are not needed, but a head may not take nothing at all.
            self._run(work, torch.from_numpy(step.tokens), work.positions, lambda hidden: hidden[0, -1:])
            work.finish()
            start = stop

    def _run(
        self, work: AtWork, tokens: Tensor, positions: Tensor, gather: Callable[[Tensor], Tensor]
    ) -> Tensor:
        with tree_attention(self.network, work):
            return self.head.logits(
                gather, input_ids=tokens[None].to(self.device), position_ids=positions[None]
            )

    @torch.inference_mode()
    def is_right(self) -> bool:
        """Whether a few tokens, one after the other in rows of several lengths, get the logits of each text alone."""
        try:
            return self._agrees()
        except (NotImplementedError, ValueError, RuntimeError, IndexError, KeyError):
            return False

    def _agrees(self) -> bool:
        vocabulary = self.network.get_input_embeddings().weight.shape[0]
        texts = [np.array(row, dtype=np.int32) % vocabulary for row in _CHECKED]
        slots = Slots(Stack(), 3)
        self.read_trunk(texts[0][:3], slots.stack, 2)
        shared = self.read_segment(slots, texts[0][3:5], 5)
        segments = [shared, shared, None]
        starts = [5, 5, 3]
        held = [len(text) - start - _CHECKED_STEPS for text, start in zip(texts, starts, strict=True)]
        slots.reserve(len(texts), max(held), max(held))
        for rows, segment in (([0], shared), ([2], None)):
            own = [texts[row][starts[row] : -_CHECKED_STEPS] for row in rows]
            self.prefill(slots, rows, own, 4, segment)
        references = [plain_logits(self.network, text)[-_CHECKED_STEPS:] for text in texts]
        for step in range(_CHECKED_STEPS):
            now = [length + step for length in held]
            slots.reserve(len(texts), max(now) + 1, max(now) + 1)
            tokens = [int(text[start + place]) for text, start, place in zip(texts, starts, now, strict=True)]
            logits = self.decode(slots, now, segments, tokens)
            if not all(about_equal(row, known[step]) for row, known in zip(logits, references, strict=True)):
                return False
        return True


_CHECKED = (
    (1, 8, 15, 22, 29, 36, 43, 50),
    (1, 8, 15, 22, 29, 3, 6),
    (1, 8, 15, 2, 9, 4, 7, 9, 11, 5, 6),
)
"""Texts with a common beginning of three tokens, and of five tokens in the first two."""

_CHECKED_STEPS = 2
