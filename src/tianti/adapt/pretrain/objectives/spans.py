"""Span corruption (Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer"): spans are taken out of a text, a sentinel token stands for each, and the decoder writes what stood there.

15 % of the tokens go, in spans of 3 tokens on average. Input and target together hold the whole text.

The mixture may hold a second exercise, as T5's holds tasks: a document is cut behind the colon of its last line,
the encoder reads what comes before and the decoder writes what follows. That is the form in which the model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tianti.adapt.pretrain.objectives.objective import Batch
from tianti.adapt.pretrain.packing import Source, pack
from tianti.adapt.pretrain.settings import Pretraining
from tianti.adapt.pretrain.tokenizer import sentinel_ids
from tianti.core.exceptions import IncompatibleError

IGNORED = -100


def corrupt(
    tokens: NDArray[np.int64], taken: NDArray[np.bool_], sentinels: Sequence[int]
) -> tuple[list[int], list[int]]:
    """(input, target): each run of taken tokens is one sentinel in the input; the target says what each stands for."""
    source: list[int] = []
    target: list[int] = []
    spans = 0
    for place, (token, gone) in enumerate(zip(tokens.tolist(), taken.tolist(), strict=True)):
        if not gone:
            source.append(token)
            continue
        if place == 0 or not taken[place - 1]:
            source.append(sentinels[spans])
            target.append(sentinels[spans])
            spans += 1
        target.append(token)
    return source, target


def restore(source: Sequence[int], target: Sequence[int], sentinels: Sequence[int]) -> list[int]:
    """The tokens that `corrupt` was given."""
    known = set(sentinels)
    spans: dict[int, list[int]] = {}
    current: list[int] = []
    for token in target:
        if token in known:
            current = spans.setdefault(token, [])
        else:
            current.append(token)
    return [token for place in source for token in (spans[place] if place in known else [place])]


def draw_spans(length: int, share: float, mean: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of `length` tokens (at least 2) are taken out: spans of random lengths between gaps of random lengths.

    The first token stays and the last goes; all ways to divide the two kinds of tokens are equally likely.
    """
    gone = min(max(round(length * share), 1), length - 1)
    spans = min(max(round(gone / mean), 1), gone, length - gone)
    kept, lost = _divided(length - gone, spans, rng), _divided(gone, spans, rng)
    return np.repeat(np.tile([False, True], spans), np.stack((kept, lost), axis=1).ravel())


def _divided(total: int, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`total` in `parts` whole numbers from 1, all ways equally likely."""
    cuts = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1
    return np.diff(np.concatenate(([0], cuts, [total])))


def cut_at_answer(document: str) -> tuple[str, str] | None:
    """A document as (prompt, answer): behind the first colon of its last line, or None where that line has none."""
    found = re.search(r"(?:^|\n)[^\n:：]*[:：](?=[^\n]*\S[^\n]*$)", document)
    return None if found is None else (document[: found.end()], document[found.end() :])


def cut_anywhere(document: str, rng: np.random.Generator) -> tuple[str, str] | None:
    """A document in two parts, cut before a space, a line break or a Chinese character; None where there is none."""
    places = [found.start() for found in re.finditer(r"(?<=\S)(?=[\s\u4e00-\u9fff])", document)]
    if not places:
        return None
    place = places[rng.integers(len(places))]
    return document[:place], document[place:]


class SpanCorruption:
    """Sequences of documents, one after the other, each with the end token behind it."""

    def __init__(self, settings: Pretraining, tokenizer: Any) -> None:
        self.settings = settings
        self.tokenizer = tokenizer
        self.sentinels = sentinel_ids(tokenizer)
        self.end = int(tokenizer.eos_token_id)
        self.pad = int(tokenizer.pad_token_id)
        most = round(settings.length * settings.corrupted / settings.span) + 1
        if most > len(self.sentinels):
            raise IncompatibleError(
                f"a sequence of {settings.length} tokens has up to {most} spans, and the tokenizer "
                f"{len(self.sentinels)} sentinel tokens",
                remedy="give a smaller --length",
            )

    def batch(self, source: Source, position: int, rng: np.random.Generator) -> tuple[Batch, int]:
        kind = rng.random()
        if kind < self.settings.answering:
            return self._pairs(source, position, cut_at_answer)
        if kind < self.settings.answering + self.settings.continuing:
            return self._pairs(source, position, lambda text: cut_anywhere(text, rng))
        inputs, targets = [], []
        for _ in range(self.settings.batch):
            row, position = pack(source, position, self.settings.length)
            taken = draw_spans(len(row.tokens), self.settings.corrupted, self.settings.span, rng)
            read, written = corrupt(np.array(row.tokens), taken, self.sentinels)
            inputs.append([*read, self.end])
            targets.append([*written, self.end])
        return self._padded(inputs, targets, self.settings.batch * self.settings.length), position

    def loss(self, network: Any, batch: Batch) -> Tensor:
        loss: Tensor = network(**batch.inputs, use_cache=False).loss
        return loss

    def _pairs(
        self, source: Source, position: int, cut: Callable[[str], tuple[str, str] | None]
    ) -> tuple[Batch, int]:
        """As many documents that can be cut in two as fill a batch, padded to the longest."""
        inputs: list[list[int]] = []
        targets: list[list[int]] = []
        room = self.settings.batch * self.settings.length
        longest = 0
        for _ in range(1000):
            prompt = cut(source.text(position))
            position += 1
            if prompt is None:
                continue
            read, written = self.tokenizer(list(prompt), add_special_tokens=False, verbose=False)["input_ids"]
            read, written = [*read[-self.settings.length + 1 :], self.end], [*written, self.end]
            longest = max(longest, len(read))
            if inputs and longest * (len(inputs) + 1) > room:
                return self._padded(inputs, targets, sum(map(len, inputs + targets))), position - 1
            inputs.append(read)
            targets.append(written[: self.settings.length])
        raise IncompatibleError(
            "too few documents whose last line has a colon, to learn answering from",
            remedy="set answering to 0",
        )

    def _padded(self, inputs: list[list[int]], targets: list[list[int]], tokens: int) -> Batch:
        ids = _table(inputs, self.pad)
        mask = _table([[1] * len(row) for row in inputs], 0)
        return Batch({"input_ids": ids, "attention_mask": mask, "labels": _table(targets, IGNORED)}, tokens)


def _table(rows: list[list[int]], fill: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])
