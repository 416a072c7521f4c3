"""Texts in progress side by side: their keys and values, a row each, and the attention of one token of every row.

What all of them begin with (the trunk) lies once on a `Stack`, what several rows go on with once in a `Segment`; a row
holds the tokens behind that. A query's attention over the three is merged by log-sum-exp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tianti.engine.prefix.attention import Heads, Settings, attend, merge
from tianti.engine.prefix.step_attention import Layer, Stack, StepAttention
from tianti.engine.prefix.steps import Step


@dataclass(frozen=True, eq=False)
class Segment:
    """Keys and values (key heads × length × width, per layer) of tokens behind the trunk that several rows share."""

    length: int
    layers: Mapping[Layer, tuple[Tensor, Tensor]]


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

        Room grows by half, so that a token rarely moves, but not beyond `most` unless it is needed. Rows that are not
        needed any more are given up then.
        """
        if room > self._room:
            self._rows, self._room = rows, max(room, min(room + room // 2 + 16, most))
        self._rows = max(self._rows, rows)

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
        if key.shape[0] < self._rows or key.shape[2] < self._room:
            self.layers[layer] = (
                _resized(key, self._rows, self._room),
                _resized(value, self._rows, self._room),
            )
        return self.layers[layer]


def _resized(held: Tensor, rows: int, room: int) -> Tensor:
    # Zeros, since what is masked is still multiplied by a weight of 0.
    resized = held.new_zeros(rows, held.shape[1], room, held.shape[3])
    kept = held[:rows]
    resized[: kept.shape[0], :, : kept.shape[2]] = kept
    return resized


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
    """The attention of one token of each of the first rows, which hold `held` tokens before it.

    Args:
        segments: what stands between the trunk and each row's tokens, None where nothing does.
    """

    def __init__(
        self, slots: Slots, held: Sequence[int], segments: Sequence[Segment | None], device: torch.device
    ) -> None:
        self.slots = slots
        self.held = torch.tensor(held, device=device)
        self.rows = torch.arange(len(held), device=device)
        self.lowest, self.highest = min(held), max(held)
        before = [0 if segment is None else segment.length for segment in segments]
        self.positions = self.held + slots.depth + torch.tensor(before, device=device)
        self.shared: list[_Shared] = []
        if slots.depth:
            trunk = Segment(slots.depth, slots.stack.layers)
            self.shared.append(_Shared(trunk, 0, self.rows, self.positions))
        for segment in {segment: None for segment in segments if segment is not None}:
            rows = torch.tensor([row for row, own in enumerate(segments) if own is segment], device=device)
            self.shared.append(_Shared(segment, slots.depth, rows, self.positions[rows]))
        self._masks: dict[int | None, tuple[int, Tensor | None]] = {}

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
        for part in self.shared:
            part.add(layer, query, settings, output, total)
        if settings.sinks is not None:
            whole = torch.logaddexp(total, settings.sinks.float())
            output.mul_((total - whole).exp_().unsqueeze(-1))
        return output.to(query.dtype)

    def _own(self, window: int | None) -> tuple[int, Tensor | None]:
        """The first place of the rows that any query sees, and who sees which from there on (rows × 1 × places)."""
        if window not in self._masks:
            first = 0 if window is None else max(0, self.lowest + 1 - window)
            distance = self.held[:, None] - torch.arange(first, self.highest + 1, device=self.held.device)
            near = distance >= 0
            if window is not None:
                near &= distance < window
            alike = self.lowest == self.highest and (window is None or self.highest - first < window)
            self._masks[window] = first, None if alike else near[:, None]
        return self._masks[window]


class _Shared:
    """Keys and values that several rows see, the first of them at position `start`."""

    def __init__(self, segment: Segment, start: int, rows: Tensor, positions: Tensor) -> None:
        self.segment = segment
        self.start = start
        self.rows = rows
        self.positions = positions
        self._masks: dict[int | None, tuple[int, Tensor | None]] = {}

    def add(self, layer: Layer, query: Tensor, settings: Settings, output: Tensor, total: Tensor) -> None:
        """Merge into `output` and `total` of all rows what the queries of these rows get from the keys."""
        first, mask = self._seen(settings.window)
        if first == self.segment.length:
            return
        key, value = (part[None, :, first : self.segment.length] for part in self.segment.layers[layer])
        everyone = len(self.rows) == len(output)
        asking = query if everyone else query[:, self.rows]
        more, weight = attend(Heads(asking[None], key, value), settings, mask)
        out, sums = (output, total) if everyone else (output[self.rows], total[self.rows])
        merge(out.transpose(0, 1), sums.transpose(0, 1), more[0], weight[0])
        if not everyone:
            output[self.rows], total[self.rows] = out, sums

    def _seen(self, window: int | None) -> tuple[int, Tensor | None]:
        """The first key that any row sees, and who sees which from there on (1 × rows × keys), None if all see all."""
        if window is None:
            return 0, None
        if window not in self._masks:
            places = torch.arange(self.start, self.start + self.segment.length, device=self.positions.device)
            near = self.positions[:, None] - places < window
            first = int((~near).all(dim=0).sum())
            self._masks[window] = first, None if bool(near[:, first:].all()) else near[None, :, first:]
        return self._masks[window]
