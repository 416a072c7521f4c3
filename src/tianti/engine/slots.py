"""Texts in progress side by side: their keys and values, a row each, and how a network reads one token of every row.

What all of them begin with (the trunk) lies once on a `Stack`; a row holds the tokens behind it. A query's attention
over both is merged by log-sum-exp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tianti.engine.attention import Heads, Settings, attend, merge
from tianti.engine.scoring import Head, about_equal, plain_logits
from tianti.engine.steps import Step, cut, make_step
from tianti.engine.tokens import Tokens
from tianti.engine.tree import PrefixTree, build_tree
from tianti.engine.tree_attention import AtWork, Layer, Stack, StepAttention, tree_attention

_NOWHERE = np.zeros(0, dtype=np.int64)


class Slots:
    """Keys and values (rows × key heads × room × width, per layer) of tokens behind the first `depth` on `stack`."""

    def __init__(self, stack: Stack, depth: int) -> None:
        self.stack = stack
        self.depth = depth
        self.layers: dict[Layer, tuple[Tensor, Tensor]] = {}
        self._rows = 0
        self._room = 0

    def reserve(self, rows: int, room: int, most: int) -> None:
        """Let there be `rows` of `room` tokens, at the latest when something is written there.

        Room grows by half, so that a token rarely moves, but not beyond `most` unless it is needed.
        """
        self._rows = max(self._rows, rows)
        if room > self._room:
            self._room = max(room, min(room + room // 2 + 16, most))

    def clear(self) -> None:
        """Let all rows and their memory go."""
        self.layers.clear()
        self._rows = self._room = 0

    def write(
        self, layer: Layer, rows: Tensor, places: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Put keys and values (key heads × tokens × width) into the place of each token's row; gives all of them."""
        if layer not in self.layers:
            first, second = (part.new_zeros(0, part.shape[0], 0, part.shape[2]) for part in (key, value))
            self.layers[layer] = first, second
        pair = self._with_room(layer)
        for held, new in zip(pair, (key, value), strict=True):
            held[rows, :, places] = new.transpose(0, 1)
        return pair

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Let the rows `targets` hold the first `length` tokens of the rows `sources`."""
        for layer in self.layers:
            for held in self._with_room(layer):
                held[list(targets), :, :length] = held[list(sources), :, :length]

    def erase(self, row: int) -> None:
        """Forget numbers that are not finite: no weight, not even 0, may be multiplied with them."""
        for pair in self.layers.values():
            for held in pair:
                held[row].zero_()

    def _with_room(self, layer: Layer) -> tuple[Tensor, Tensor]:
        """The keys and values of a layer, made larger where rows or room were reserved since."""
        key, value = self.layers[layer]
        rows, room = max(self._rows, key.shape[0]), max(self._room, key.shape[2])
        if (rows, room) != (key.shape[0], key.shape[2]):
            self.layers[layer] = _larger(key, rows, room), _larger(value, rows, room)
        return self.layers[layer]


def _larger(held: Tensor, rows: int, room: int) -> Tensor:
    # Zeros, since what is masked is still multiplied by a weight of 0.
    larger = held.new_zeros(rows, held.shape[1], room, held.shape[3])
    larger[: held.shape[0], :, : held.shape[2]] = held
    return larger


class PrefillAttention(StepAttention):
    """The attention of a step of a tree, whose keys and values also go into slots.

    `rows`, `places` and `sources` have one entry per token to be kept: where it goes, and where it is in the step.
    """

    def __init__(self, step: Step, slots: Slots, device: torch.device, kept: tuple[Tensor, ...]) -> None:
        super().__init__(step, slots.stack, device)
        self.slots = slots
        self.rows, self.places, self.sources = kept

    def attend(self, layer: Layer, heads: Heads, settings: Settings) -> Tensor:
        out = super().attend(layer, heads, settings)
        key, value = heads.key[:, self.sources], heads.value[:, self.sources]
        self.slots.write(layer, self.rows, self.places, key, value)
        return out


class DecodeAttention:
    """The attention of one token of each of the first rows, which hold `held` tokens before it."""

    def __init__(self, slots: Slots, held: Sequence[int], device: torch.device) -> None:
        self.slots = slots
        self.held = torch.tensor(held, device=device)
        self.rows = torch.arange(len(held), device=device)
        self.positions = self.held + slots.depth
        self.lowest, self.highest = min(held), max(held)
        self._masks: dict[tuple[str, int | None], tuple[int, Tensor | None]] = {}

    def attend(self, layer: Layer, heads: Heads, settings: Settings) -> Tensor:
        query, key, value = heads
        keys, values = self.slots.write(layer, self.rows, self.held, key, value)
        count, shared = len(self.rows), query.shape[0] // key.shape[0]
        first, mask = self._own(settings.window)
        # One query per row: the heads that share a key head are as many queries of it under the same mask.
        own = Heads(
            query.transpose(0, 1).reshape(count, key.shape[0], shared, -1),
            keys[:count, :, first : self.highest + 1],
            values[:count, :, first : self.highest + 1],
        )
        found, weight = attend(own, settings, None if mask is None else mask.expand(-1, shared, -1))
        output, total = found.reshape(count, -1, found.shape[-1]).float(), weight.reshape(count, -1)
        first, mask = self._trunk(settings.window)
        if first < self.slots.depth:
            trunk_keys, trunk_values = self.slots.stack.layers[layer]
            trunk = Heads(
                query[None],
                trunk_keys[None, :, first : self.slots.depth],
                trunk_values[None, :, first : self.slots.depth],
            )
            more, more_weight = attend(trunk, settings, mask)
            merge(output.transpose(0, 1), total.transpose(0, 1), more[0], more_weight[0])
        if settings.sinks is not None:
            whole = torch.logaddexp(total, settings.sinks.float())
            output.mul_((total - whole).exp_().unsqueeze(-1))
        return output.to(query.dtype)

    def _own(self, window: int | None) -> tuple[int, Tensor | None]:
        """The first place of the rows that any query sees, and who sees which from there on (rows × 1 × places)."""
        if ("own", window) not in self._masks:
            first = 0 if window is None else max(0, self.lowest + 1 - window)
            distance = self.held[:, None] - torch.arange(first, self.highest + 1, device=self.held.device)
            near = distance >= 0
            if window is not None:
                near &= distance < window
            alike = self.lowest == self.highest and (window is None or self.highest - first < window)
            self._masks["own", window] = first, None if alike else near[:, None]
        return self._masks["own", window]

    def _trunk(self, window: int | None) -> tuple[int, Tensor | None]:
        """The first place of the trunk that any query sees, and who sees which from there on (1 × rows × places)."""
        depth = self.slots.depth
        if window is None:
            return 0, None
        if ("trunk", window) not in self._masks:
            first = min(depth, max(0, depth + self.lowest + 1 - window))
            places = torch.arange(first, depth, device=self.held.device)
            near = self.positions[:, None] - places < window
            self._masks["trunk", window] = (
                first,
                None if depth + self.highest - first < window else near[None],
            )
        return self._masks["trunk", window]


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
    def prefill(self, slots: Slots, rows: Sequence[int], texts: Sequence[Tokens], at_once: int) -> int:
        """Let rows hold the tokens of texts, each distinct one computed once; gives how many those are."""
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

        self._read(tree, len(tree), slots.depth, at_once, attention)
        return len(tree)

    @torch.inference_mode()
    def decode(self, slots: Slots, held: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Logits (rows × vocabulary) behind one more token of each of the first rows, which hold `held` tokens."""
        work = DecodeAttention(slots, held, self.device)
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
        slots, depth = Slots(Stack(), 3), 3
        self.read_trunk(texts[0][:depth], slots.stack, 2)
        held = [len(text) - depth - _CHECKED_STEPS for text in texts]
        slots.reserve(len(texts), max(held), max(held))
        self.prefill(slots, range(len(texts)), [text[depth:-_CHECKED_STEPS] for text in texts], at_once=5)
        references = [plain_logits(self.network, text)[-_CHECKED_STEPS:] for text in texts]
        for step in range(_CHECKED_STEPS):
            now = [length + step for length in held]
            slots.reserve(len(texts), max(now) + 1, max(now) + 1)
            tokens = [int(text[depth + place]) for text, place in zip(texts, now, strict=True)]
            logits = self.decode(slots, now, tokens)
            if not all(about_equal(row, known[step]) for row, known in zip(logits, references, strict=True)):
                return False
        return True


_CHECKED = (
    (1, 8, 15, 22, 29, 36, 43, 50),
    (1, 8, 15, 22, 29, 3),
    (1, 8, 15, 2, 9, 4, 7, 9, 11, 5, 6),
)
"""Texts with a common beginning of three tokens and more."""

_CHECKED_STEPS = 2
