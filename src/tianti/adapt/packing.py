"""Packed batches: texts of several examples in one row, each seeing itself alone, so that nothing is padded.

Krell et al. 2021, Efficient sequence packing without cross-contamination (arXiv 2107.02027). A text attends through a
block-diagonal mask and counts its positions from 0; positions alone would let texts see each other where a model
makes its own causal mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tianti.adapt.losses import answer_logits, keeps_logits
from tianti.core.exceptions import IncompatibleError
from tianti.engine.tokens import Window, soft_prompt_length

TOLERANCE = 1e-3
"""How far logits of packed and padded texts may lie apart before a model counts as one that cannot be packed."""


def rows_of(sizes: Sequence[int], length: int) -> list[list[int]]:
    """Indices in rows that take at most `length` together, the longest first, each into the first row with room."""
    rows: list[list[int]] = []
    room: list[int] = []
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        place = next((row for row, left in enumerate(room) if left >= sizes[index]), len(rows))
        if place == len(rows):
            rows.append([])
            room.append(length)
        rows[place].append(index)
        room[place] -= sizes[index]
    return rows


def packed_logits(network: Any, windows: Sequence[Window]) -> tuple[Tensor, Tensor]:
    """The logits [tokens, vocabulary] that predict the scored tokens of all windows, and those tokens.

    As `answer_logits`, in another order. Rows are as long as the longest window.
    """
    device = next(network.parameters()).device
    sizes = [len(window.tokens) - 1 for window in windows]
    rows = rows_of(sizes, max(sizes))
    shape = (len(rows), max(sizes))
    ids, positions = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    targets = torch.full(shape, -100)
    texts = torch.full(shape, -1)
    for row, indices in enumerate(rows):
        start = 0
        for index in indices:
            window, end = windows[index], start + sizes[index]
            ids[row, start:end] = torch.from_numpy(window.tokens[:-1].copy())
            positions[row, start:end] = torch.arange(sizes[index])
            targets[row, end - window.scored : end] = torch.from_numpy(window.tokens[-window.scored :].copy())
            texts[row, start:end] = index
            start = end
    scored = targets != -100
    kept = scored.any(dim=0).nonzero()[:, 0]
    options = {"logits_to_keep": kept.to(device)} if keeps_logits(network) else {}
    logits = network(
        input_ids=ids.to(device),
        position_ids=positions.to(device),
        attention_mask=_mask(texts, network.dtype).to(device),
        use_cache=False,
        **options,
    ).logits
    if not options:
        logits = logits[:, kept.to(device)]
    return logits[scored[:, kept].to(device)], targets[:, kept][scored[:, kept]].to(device)


def check_packing(network: Any, windows: Sequence[Window]) -> None:
    """Raise IncompatibleError when packed texts do not give the logits that they give alone.

    So it is with models that mix tokens in another way than by attention under a mask that is given to them.
    """
    few = sorted(windows, key=lambda window: len(window.tokens))[-3:]
    few += sorted(windows, key=lambda window: len(window.tokens))[:3]
    if soft_prompt_length(network):
        raise IncompatibleError(
            "batches=packed does not fit virtual tokens: they stand before a row, and each of its texts needs them",
            remedy="use batches=grouped",
        )
    was_training = network.training
    network.train(False)
    with torch.no_grad():
        alone = torch.cat([answer_logits(network, [window])[0] for window in few])
        found, tokens = packed_logits(network, few)
        expected = torch.cat([answer_logits(network, [few[index]])[1] for index in _order(few)])
        places = _places(few)
        same = torch.equal(tokens, expected) and torch.allclose(
            found.float(), alone.float()[places], atol=TOLERANCE, rtol=TOLERANCE
        )
    network.train(was_training)
    if not same:
        raise IncompatibleError(
            f"batches=packed does not fit {type(network).__name__}: texts that lie in one row see each other",
            remedy="use batches=grouped",
        )


def _order(windows: Sequence[Window]) -> list[int]:
    """The windows in the order in which `packed_logits` gives them."""
    sizes = [len(window.tokens) - 1 for window in windows]
    return [index for row in rows_of(sizes, max(sizes)) for index in row]


def _places(windows: Sequence[Window]) -> list[int]:
    """For each scored token in packed order its place when the windows follow each other as given."""
    starts, start = [], 0
    for window in windows:
        starts.append(start)
        start += window.scored
    return [starts[index] + place for index in _order(windows) for place in range(windows[index].scored)]


def _mask(texts: Tensor, dtype: torch.dtype) -> Tensor:
    """[rows, 1, tokens, tokens], added to attention's scores: 0 where a token sees another, else the least number.

    A token sees itself and what stands before it in its own text; padding (−1) counts as a text of its own.
    """
    same = texts[:, :, None] == texts[:, None, :]
    before = torch.ones(texts.shape[1], texts.shape[1], dtype=torch.bool).tril()
    return torch.zeros(same.shape, dtype=dtype).masked_fill(~(same & before), torch.finfo(dtype).min)[:, None]
