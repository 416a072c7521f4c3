"""Log-probabilities by an encoder–decoder network: each context is encoded once for all of its continuations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from tianti.engine.padding import padded
from tianti.engine.scoring.logits import Head, Scored, about_equal, cut_scores, look_up
from tianti.engine.seq2seq.pairs import Pair
from tianti.engine.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs with the same context, by their numbers."""

    context: Tokens
    pairs: list[int]


def groups(pairs: Sequence[Pair]) -> list[Group]:
    """The distinct contexts of `pairs`, in order of first appearance."""
    sharing: dict[bytes, list[int]] = {}
    for number, pair in enumerate(pairs):
        sharing.setdefault(pair.context.tobytes(), []).append(number)
    return [Group(pairs[numbers[0]].context, numbers) for numbers in sharing.values()]


class PairScorer:
    """Runs an encoder–decoder network and looks up log-probabilities.

    The decoder reads its start token once for each context: that gives the distribution of all first tokens, and the
    keys and values of the context, which the longer continuations then go on from. Where a check on a few tokens shows
    that this gives other numbers than the plain call with labels, or the network cannot do it, each pair is run on its
    own: `path` says which.

    `cached` says how many positions of the encoder may be held for decoder rows at once.
    """

    def __init__(self, network: Any, cached: Callable[[], int]) -> None:
        self.network = network
        self.cached = cached
        self.device = next(network.parameters()).device
        pad = network.config.pad_token_id
        self.fill = 0 if pad is None else int(pad)
        self.head = Head(network)
        self.path = "shared" if self._sharing_is_right() else "full"

    @torch.inference_mode()
    def score(self, pairs: Sequence[Pair], batch: Sequence[Group]) -> list[list[Scored]]:
        """For each group the scores of its pairs, in their order."""
        continuations = [[pairs[number].continuation for number in group.pairs] for group in batch]
        logits_of = self._shared if self.path == "shared" else self._full
        logits, places = logits_of([group.context for group in batch], continuations)
        targets = [continuation for those in continuations for continuation in those]
        scores = cut_scores(
            *look_up(logits, np.concatenate(places), np.concatenate(targets)),
            [len(target) for target in targets],
        )
        found = iter(scores)
        return [[next(found) for _ in group.pairs] for group in batch]

    def _shared(
        self, contexts: Sequence[Tokens], continuations: Sequence[Sequence[Tokens]]
    ) -> tuple[torch.Tensor, list[Any]]:
        """Logits (n × vocabulary), and for each continuation the rows of them that predict its tokens."""
        tokens, mask = padded(contexts, self.fill, self.device)
        hidden = self.network.get_encoder()(input_ids=tokens, attention_mask=mask).last_hidden_state
        start = torch.full((len(contexts), 1), self.network.config.decoder_start_token_id, device=self.device)
        first = self.network(
            encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
            attention_mask=mask,
            decoder_input_ids=start,
            use_cache=True,
        )
        # Continuations that differ in the last token only need the same rows.
        rows: dict[tuple[int, bytes], Tokens] = {}
        for number, those in enumerate(continuations):
            for continuation in those:
                if len(continuation) > 1:
                    rows.setdefault((number, continuation[:-1].tobytes()), continuation[:-1])
        order = sorted(rows, key=lambda key: -len(rows[key]))
        later, starts = self._go_on(first.past_key_values, hidden, mask, order, [rows[key] for key in order])
        begin = dict(zip(order, starts, strict=True))
        places = []
        for number, those in enumerate(continuations):
            for continuation in those:
                at = len(contexts) + begin.get((number, continuation[:-1].tobytes()), 0)
                places.append(np.array([number, *range(at, at + len(continuation) - 1)], dtype=np.int64))
        return torch.cat([first.logits[:, 0], *later]), places

    def _go_on(
        self,
        cache: Any,
        hidden: torch.Tensor,
        mask: torch.Tensor,
        keys: Sequence[tuple[int, bytes]],
        rows: Sequence[Tokens],
    ) -> tuple[list[torch.Tensor], list[int]]:
        """Logits at each token of `rows`, which follow the start token, and where each row's begin."""
        at_once = max(1, self.cached() // hidden.shape[1])
        later = []
        for first in range(0, len(rows), at_once):
            some = list(rows[first : first + at_once])
            context = torch.tensor(
                [number for number, _ in keys[first : first + at_once]], device=self.device
            )
            tokens, there = padded(some, self.fill, self.device)
            gather = partial(_at, there.nonzero(as_tuple=True))
            logits = self.head.logits(
                gather,
                encoder_outputs=BaseModelOutput(last_hidden_state=hidden[context]),
                attention_mask=mask[context],
                decoder_input_ids=tokens,
                past_key_values=_selected(cache, context),
                use_cache=True,
            )
            later.append(logits)
        return later, np.cumsum([0, *map(len, rows)])[:-1].tolist()

    def _full(
        self, contexts: Sequence[Tokens], continuations: Sequence[Sequence[Tokens]]
    ) -> tuple[torch.Tensor, list[Any]]:
        """As `_shared`, by plain calls in which each continuation has a context of its own."""
        pairs = [
            (context, one) for context, those in zip(contexts, continuations, strict=True) for one in those
        ]
        logits = []
        for context, continuation in pairs:
            tokens, mask = padded([context], self.fill, self.device)
            labels, _ = padded([continuation], self.fill, self.device)
            logits.append(self.network(input_ids=tokens, attention_mask=mask, labels=labels).logits[0])
        ends = np.cumsum([len(continuation) for _, continuation in pairs])
        return torch.cat(logits), [
            np.arange(end - len(one), end) for end, (_, one) in zip(ends, pairs, strict=True)
        ]

    @torch.inference_mode()
    def _sharing_is_right(self) -> bool:
        """Whether the shared path gives the logits of plain calls, padding and all."""
        if not self.head.found:
            return False
        if self.network.config.decoder_start_token_id is None:
            return False
        vocabulary = self.network.get_input_embeddings().weight.shape[0]
        row = [(np.arange(length, dtype=np.int32) * 7 + length) % vocabulary for length in range(7)]
        asked = [row[6], row[3]], [[row[1], row[4], row[2]], [row[3]]]
        try:
            logits, places = self._shared(*asked)
        except (
            Exception
        ):  # A family whose decoder or cache takes other arguments: its plain call is what counts.
            return False
        alone, order = self._full(*asked)
        return about_equal(logits[np.concatenate(places)], alone[np.concatenate(order)])


def _at(places: tuple[torch.Tensor, ...], states: torch.Tensor) -> torch.Tensor:
    return states[places]


def _selected(cache: Any, rows: torch.Tensor) -> Any:
    """The cache of `rows`, each of which may stand in it several times; the cache itself is left alone."""
    layers = [*cache.self_attention_cache.layers, *cache.cross_attention_cache.layers]
    tensors = {id(tensor): tensor for layer in layers for tensor in (layer.keys, layer.values)}
    selected = copy.deepcopy(cache, tensors)
    selected.batch_select_indices(rows)
    return selected
