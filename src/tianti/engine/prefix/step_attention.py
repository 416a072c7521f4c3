"""The attention of a step of a prefix tree, by transformers' attention interface.

While `tree_attention` is entered, the network's layers call the function registered as `tianti_tree`, which hands
their queries, keys and values to the step at work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface

from tianti.engine.prefix.attention import Heads, Settings, attend, merge
from tianti.engine.prefix.steps import Span, Step, Tiles

NAME = "tianti_tree"

Layer = Any
"""The attention module of a layer; keys and values are kept by it."""


class AtWork(Protocol):
    """What computes attention while the network runs."""

    def attend(self, layer: Layer, heads: Heads, settings: Settings) -> Tensor:
        """The output (tokens × heads × width) for `heads` without a batch."""
        ...


_AT_WORK: ContextVar[AtWork] = ContextVar("attention at work")


@contextmanager
def tree_attention(network: Any, work: AtWork) -> Iterator[None]:
    """Have `work` compute the attention of `network`, which may be wrapped by peft, until this is left."""
    configs = {id(part.config): part.config for part in network.modules() if hasattr(part, "config")}
    before = [
        (config, config._attn_implementation)
        for config in configs.values()
        if hasattr(config, "_attn_implementation")
    ]
    token = _AT_WORK.set(work)
    try:
        for config, _ in before:
            config._attn_implementation = NAME
        yield
    finally:
        for config, name in before:
            config._attn_implementation = name
        _AT_WORK.reset(token)


def _attention(
    module: Layer,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    position_bias: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """What transformers calls for each layer; the tensors have a batch of one."""
    if attention_mask is not None or position_bias is not None or query.shape[2] != key.shape[2]:
        raise NotImplementedError("a mask, a bias or a cache of the network's own")
    if query.shape[1] % key.shape[1]:
        raise NotImplementedError(f"{query.shape[1]} heads cannot share {key.shape[1]} key heads")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    settings = Settings(scale, softcap, sliding_window, s_aux)
    out = _AT_WORK.get().attend(module, Heads(query[0], key[0], value[0]), settings)
    return out.unsqueeze(0), None


AttentionInterface.register(NAME, _attention)


@dataclass
class Stack:
    """Keys and values (key heads × length × width, per layer) on the way from the root to the next token."""

    length: int = 0
    layers: dict[Layer, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def replace(self, kept: int, new: Mapping[Layer, tuple[Tensor, Tensor]]) -> None:
        """Keep the first `kept` entries and put the `new` ones on them; nothing is lost when memory runs out."""
        for layer, pair in new.items():
            room = self.layers.get(layer)
            if room is None or room[0].shape[1] < kept + pair[0].shape[1]:
                self.layers[layer] = self._larger(room, pair, kept)
        for layer, pair in new.items():
            for old, added in zip(self.layers[layer], pair, strict=True):
                old[:, kept : kept + pair[0].shape[1]] = added
        self.length = kept + max((pair[0].shape[1] for pair in new.values()), default=0)

    def _larger(
        self, room: tuple[Tensor, Tensor] | None, pair: tuple[Tensor, Tensor], kept: int
    ) -> tuple[Tensor, Tensor]:
        if room is None:
            return pair
        length = 2 * (kept + pair[0].shape[1])
        key, value = (part.new_empty(part.shape[0], length, part.shape[2]) for part in pair)
        for new, old in zip((key, value), room, strict=True):
            new[:, : self.length] = old[:, : self.length]
        return key, value


class StepAttention:
    """The attention of one step, layer by layer."""

    def __init__(self, step: Step, stack: Stack, device: torch.device) -> None:
        self.step = step
        self.stack = stack
        self.positions = torch.from_numpy(step.positions).to(device)
        self.stack_positions = torch.arange(stack.length, device=device)
        self.keep = torch.from_numpy(step.keep).to(device)
        self.tiles = [_TileIndices(tiles, self.positions) for tiles in step.tiles]
        self.written: dict[Layer, tuple[Tensor, Tensor]] = {}
        self.windows: set[int | None] = set()
        self._masks: dict[tuple[Any, int], Tensor | None] = {}

    def finish(self) -> None:
        """Leave on the stack what the next step needs. Not before the whole pass is done: a failed one is repeated."""
        self.stack.replace(self.step.kept, self.written)

    def attend(self, layer: Layer, heads: Heads, settings: Settings) -> Tensor:
        self.windows.add(settings.window)
        query, key, value = heads
        output = query.new_empty(query.shape[1], query.shape[0], value.shape[2], dtype=torch.float32)
        total = query.new_empty(query.shape[0], query.shape[1], dtype=torch.float32)
        for tiles in self.tiles:
            mask = self._near(tiles, tiles.positions, tiles.positions, settings.window, tiles.follows)
            parts = Heads(*(part[:, tiles.places].transpose(0, 1) for part in heads))
            found, weight = attend(parts, settings, mask, causal=mask is None)
            output[tiles.flat] = found.transpose(1, 2).flatten(0, 1)[tiles.there].float()
            total[:, tiles.flat] = weight.transpose(0, 1).flatten(1)[:, tiles.there]
        out = output.transpose(0, 1)
        for run in self.step.long:
            at = self.positions[None, slice(*run)]
            mask = self._near(run, at, at, settings.window)
            parts = Heads(*(part[None, :, slice(*run)] for part in heads))
            found, weight = attend(parts, settings, mask, causal=mask is None)
            out[:, slice(*run)], total[:, slice(*run)] = found[0], weight[0]
        for span in self.step.spans:
            self._add_span(span, heads, self.positions, settings, out, total)
        if self.step.stacked:
            stacked = Heads(query, *self.stack.layers[layer])
            for span in self.step.stacked:
                self._add_span(span, stacked, self.stack_positions, settings, out, total)
        if settings.sinks is not None:
            whole = torch.logaddexp(total, settings.sinks.float()[:, None])
            out.mul_((total - whole).exp_().unsqueeze(-1))
        self.written[layer] = (key[:, self.keep], value[:, self.keep])
        return output.to(query.dtype)

    def _add_span(
        self,
        span: Span,
        heads: Heads,
        key_positions: Tensor,
        settings: Settings,
        out: Tensor,
        total: Tensor,
    ) -> None:
        """Merge into `out` and `total` what the queries of a span get from its keys."""
        queries, keys = slice(span.start, span.stop), slice(span.first, span.last)
        at, key_at = self.positions[None, queries], key_positions[None, keys]
        mask = self._near((span, key_positions is self.positions), at, key_at, settings.window)
        query, key, value = heads
        parts = Heads(query[None, :, queries], key[None, :, keys], value[None, :, keys])
        found, weight = attend(parts, settings, mask)
        merge(out[:, queries], total[:, queries], found[0], weight[0])

    def _near(
        self, piece: Any, queries: Tensor, keys: Tensor, window: int | None, follows: Tensor | None = None
    ) -> Tensor | None:
        """The mask of a piece: `follows`, and within the window. None when all keys are seen, or all before a query.

        Args:
            queries, keys: positions, batch × length; the same tensor where the tokens are the same.
            follows: batch × queries × keys.
        """
        if window is None:
            return follows
        if (piece, window) not in self._masks:
            distance = queries[:, :, None] - keys[:, None, :]
            mask = follows
            if int(distance.max()) >= window:
                mask = distance < window
                if follows is not None:
                    mask &= follows
                elif queries is keys:
                    mask = mask.tril()
            self._masks[piece, window] = mask
        return self._masks[piece, window]


class _TileIndices:
    """The indices of a batch of tiles on the device.

    `places` (tiles × length) of its tokens in the step, 0 where a tile is shorter; `there` the flat indices of those
    that are there, and `flat` their places; `follows` (tiles × length × length) who sees whom, None when causal.
    """

    def __init__(self, tiles: Tiles, positions: Tensor) -> None:
        places = torch.from_numpy(tiles.places).to(positions.device)
        self.there = (places.flatten() >= 0).nonzero()[:, 0]
        self.flat = places.flatten()[self.there]
        self.places = places.clamp(min=0)
        self.positions = torch.where(places < 0, positions[places[:, :1]], positions[self.places])
        self.follows = None if tiles.mask is None else torch.from_numpy(tiles.mask).to(positions.device)
