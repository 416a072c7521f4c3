"""Scores by the network's own cache of keys and values: each distinct token is read once, rows are padded.

The way for networks that have such a cache, but do not compute their attention through transformers' interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from tianti.engine.batches import BatchLimit, Usage, free_memory, out_of_memory
from tianti.engine.prefix.step_attention import Stack
from tianti.engine.prefix.tree import build_tree
from tianti.engine.requests import Failure
from tianti.engine.scoring.logits import CANNOT_BE_READ_SO, Head, Scored, about_equal, plain_logits
from tianti.engine.scoring.node_batches import NodeBatches, Rows
from tianti.engine.scoring.shared import Results, SharingScorer, Sheet
from tianti.engine.tokens import Window

Result = TypeVar("Result")


class _Past:
    """What the rows of a batch follow on the stack, and what they will leave on it."""

    def __init__(self, rows: Rows, stack: Stack, device: torch.device) -> None:
        self.stack = stack
        self.length = rows.slots.shape[1]
        self.slots = torch.from_numpy(rows.slots).to(device)
        self.one = len(rows.slots) == 1 or bool((rows.slots == rows.slots[0]).all())
        """Whether all rows follow the same."""
        keep_row, keep_column = np.divmod(rows.keep, rows.tokens.shape[1])
        self.keep_row = torch.from_numpy(keep_row).to(device)
        self.keep_column = torch.from_numpy(keep_column).to(device)
        self.written: dict[Any, tuple[Tensor, Tensor]] = {}

    def joined(self, layer: int, new: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Keys and values (rows × heads × past + length × width) of a layer, given those of what the rows read."""
        if layer in self.written:
            raise NotImplementedError("layers that share one entry of the cache")
        self.written[layer] = tuple(part[self.keep_row, :, self.keep_column].transpose(0, 1) for part in new)  # type: ignore[assignment]
        if self.length == 0:
            return new
        key, value = (
            torch.cat((self._gathered(stacked).to(part), part), dim=2)
            for stacked, part in zip(self.stack.layers[layer], new, strict=True)
        )
        return key, value

    def _gathered(self, stacked: Tensor) -> Tensor:
        """rows × heads × past × width."""
        if self.one:
            return stacked[:, self.slots[0]].expand(len(self.slots), -1, -1, -1)
        return stacked[:, self.slots].transpose(0, 1)


class _PastLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """A layer of the cache that the network is given: it gives out what is on the stack, and never cuts it."""

    def __init__(self, past: _Past, number: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.past = past
        self.number = number
        self.length: int = past.length

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        self.length = self.past.length + key_states.shape[2]
        return self.past.joined(self.number, (key_states, value_states))

    def get_seq_length(self) -> int:
        return self.length


class CachedReader:
    """Runs rows that follow what is on a stack through a network that takes a cache of keys and values."""

    def __init__(self, network: Any, head: Head) -> None:
        self.network = network
        self.head = head
        self.device = next(network.parameters()).device
        config = getattr(network.config, "text_config", None) or network.config
        self.layers: int | None = getattr(config, "num_hidden_layers", None)
        self.positions = True
        """Whether the network is told the positions; otherwise it counts them in the mask."""

    @torch.inference_mode()
    def read(self, rows: Rows, stack: Stack, use: Callable[[Tensor], Result]) -> Result:
        """What `use` makes of the logits (len(rows.scored) × vocabulary) at the scored places.

        Only then what follows the rows may be read: where `use` runs out of memory, they can be read again.
        """
        past = _Past(rows, stack, self.device)
        length = rows.tokens.shape[1]
        layers = [_PastLayer(past, number) for number in range(self.layers or 0)]
        columns = np.arange(past.length + length)
        start = past.length - rows.depths[:, None]
        mask = (columns >= start) & (columns < past.length + rows.lengths[:, None])
        at = torch.from_numpy(rows.scored).to(self.device)
        inputs = {"input_ids": rows.tokens, "attention_mask": mask.astype(np.int64)}
        if self.positions:
            # Padding, too, stands where some sequence reaches: NodeBatches sees to it.
            inputs["position_ids"] = rows.depths[:, None] + np.arange(length)
        logits = self.head.logits(
            lambda hidden: hidden.flatten(0, 1)[at],
            past_key_values=Cache(layers=list(layers)),
            use_cache=True,
            **{name: torch.from_numpy(values).to(self.device) for name, values in inputs.items()},
        )
        if len(past.written) != self.layers:
            raise NotImplementedError("layers that keep no keys and values, or keep them elsewhere")
        result = use(logits)
        stack.replace(rows.kept, past.written)
        return result

    def is_right(self) -> bool:
        """Whether the logits of a small tree, read in several batches, are those of each sequence alone.

        A network may have no such cache, keep other things beside it, or count positions in another way.
        """
        if not self.head.found or not self.layers or self._hides_what_is_far():
            return False
        for positions in (True, False):
            self.positions = positions
            if self._reads_rightly():
                return True
        return False

    @torch.inference_mode()
    def _reads_rightly(self) -> bool:
        vocabulary = self.network.get_input_embeddings().weight.shape[0]
        sequences = [np.array(row, dtype=np.int32) % vocabulary for row in _CHECKED]
        tree, stack = build_tree(sequences), Stack()
        batches = NodeBatches(tree, np.arange(len(tree)))
        found: dict[int, Tensor] = {}
        try:
            while (rows := batches.take(BatchLimit(rows=3))) is not None:
                logits = self.read(rows, stack, lambda logits: logits)
                found |= zip(batches.here().tolist(), logits, strict=True)
                batches.done()
            alone = [plain_logits(self.network, tokens) for tokens in sequences]
        except CANNOT_BE_READ_SO:
            return False
        return all(
            about_equal(torch.stack([found[place] for place in tree.path(number, 0).tolist()]), reference)
            for number, reference in enumerate(alone)
        )

    def _hides_what_is_far(self) -> bool:
        """Whether some layer sees a part of the text only, which no small tree can show."""
        configs = [part.config for part in self.network.modules() if hasattr(part, "config")]
        names = ("attention_chunk_size", "sliding_window", "attention_window_size")
        return any(getattr(config, name, None) for config in configs for name in names)


_CHECKED = (
    (1, 8, 15, 22, 29, 36, 43, 50),
    (1, 8, 15, 22, 29, 36, 3, 4, 5),
    (1, 8, 15, 22, 29, 36, 3, 4, 7, 9, 6),
    (1, 8, 15, 2),
    (1, 8, 15, 2, 9),
    (1, 8, 15, 2, 10, 4, 1),
    (6, 5, 4, 3, 2, 1, 0, 1, 2, 3),
    (6, 5, 4, 3, 2, 1, 7),
)
"""Sequences with common beginnings of different lengths, so that rows of one batch are padded on both sides."""


class CachedScorer(SharingScorer):
    """Scores windows by batches of nodes of the prefix tree of what they read."""

    way = "cached"

    def __init__(self, reader: CachedReader, limit: BatchLimit, usage: Usage) -> None:
        super().__init__(limit, usage)
        self.reader = reader

    def _read_trunk(self) -> bool:
        # Something has to follow the trunk, or nothing of it would be kept.
        rows = [np.append(self.trunk, np.int32(token)) for token in (0, 1)]
        batches = NodeBatches(build_tree(rows), np.zeros(0, dtype=np.int64))
        first = batches.take(BatchLimit(rows=1))
        assert first is not None
        return self._attempt(first, self.trunk_stack, lambda _: []) is not None

    def _score(
        self, windows: Sequence[Window], depth: int, stack: Stack
    ) -> Iterator[tuple[int, Scored | Failure]]:
        with self.usage.timed_planning():
            sheet = Sheet(windows, depth)
            batches = NodeBatches(sheet.tree, sheet.scored, depth)
        while True:
            with self.usage.timed_planning():
                rows = batches.take(self.limit)
                if rows is None:
                    return
                use = partial(sheet.results, batches.here())
            results = self._attempt(rows, stack, use)
            if results is not None:
                batches.done()
                yield from results
            elif len(rows.tokens) == 1:
                tokens = int(rows.depths[0] + rows.lengths[0])
                failure = Failure("error", f"out of memory with one row of {tokens} tokens", tokens=tokens)
                yield from ((number, failure) for number in sheet.through(batches.skip()))
            else:
                self.limit = self._below(rows)

    def _below(self, rows: Rows) -> BatchLimit:
        """The limit after a batch of these rows was too large: half as many of them."""
        if self.limit.rows is not None:
            return replace(self.limit, rows=len(rows.tokens) // 2)
        return replace(
            self.limit, cached=len(rows.tokens) * (rows.tokens.shape[1] + rows.slots.shape[1]) // 2
        )

    def _attempt(self, rows: Rows, stack: Stack, use: Callable[[Tensor], Results]) -> Results | None:
        """What `use` makes of the logits of a batch, or None when memory runs out."""
        self.usage.limit = self.limit
        try:
            with self.usage.timed():
                result = self.reader.read(rows, stack, use)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
        else:
            self.usage.read(int(rows.lengths.sum()), rows.tokens.size, rows=len(rows.tokens))
            return result
        # Outside of `except`, whose traceback would keep the tensors of the failed attempt alive.
        free_memory()
        self.usage.halvings += 1
        return None
