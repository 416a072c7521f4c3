"""Masked-token prediction (Devlin et al. 2019): 15 % of the tokens, from all others.

Of the chosen tokens 80 % are replaced by the mask token, 10 % by a random token, and 10 % stay as they are. With
whole words (as in BERT's later releases) all pieces of a word are chosen together, for its other pieces would give a
masked one away. The documents of a sequence do not see each other, and each counts its positions from 0: the
network meets them in training as it meets them in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from tianti.adapt.pretrain.objectives.objective import Batch
from tianti.adapt.pretrain.packing import Row, Source, pack
from tianti.adapt.pretrain.settings import Pretraining

MASKED, RANDOM = 0.8, 0.1
IGNORED = -100


@dataclass(frozen=True)
class Masking:
    """`share` of the tokens is hidden; random tokens are drawn from `ordinary` ones, which are no special tokens."""

    share: float
    mask: int
    ordinary: NDArray[np.int64]
    whole_words: bool

    def hide(self, row: Row, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The row with tokens hidden, and what stood there (−100 where nothing is asked)."""
        tokens = np.array(row.tokens, dtype=np.int64)
        chosen = self.choose(np.array(row.words), rng)
        labels = np.where(chosen, tokens, IGNORED)
        fate = rng.random(len(tokens))
        hidden = np.where(chosen & (fate < MASKED), self.mask, tokens)
        random = chosen & (fate >= MASKED) & (fate < MASKED + RANDOM)
        return np.where(random, rng.choice(self.ordinary, len(tokens)), hidden), labels

    def choose(self, words: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Which tokens are hidden: whole words or single tokens in random order until the share is reached."""
        places = np.flatnonzero(words >= 0)
        units = words[places] if self.whole_words else np.arange(len(places))
        names, sizes = np.unique(units, return_counts=True)
        order = rng.permutation(len(names))
        before = np.cumsum(sizes[order]) - sizes[order]
        taken = names[order[before < max(1, round(self.share * len(places)))]]
        chosen = np.zeros(len(words), dtype=bool)
        chosen[places[np.isin(units, taken)]] = True
        return chosen


class MaskedTokens:
    """Sequences of documents, each between [CLS] and [SEP]."""

    def __init__(self, settings: Pretraining, tokenizer: Any) -> None:
        self.settings = settings
        ordinary = np.setdiff1d(np.arange(len(tokenizer)), np.array(tokenizer.all_special_ids))
        self.masking = Masking(
            settings.corrupted, int(tokenizer.mask_token_id), ordinary, settings.whole_words
        )

    def batch(self, source: Source, position: int, rng: np.random.Generator) -> tuple[Batch, int]:
        hidden, labels, owners, places = [], [], [], []
        for _ in range(self.settings.batch):
            row, position = pack(source, position, self.settings.length)
            tokens, asked = self.masking.hide(row, rng)
            owner = np.searchsorted(row.starts, np.arange(len(tokens)), side="right") - 1
            hidden.append(tokens)
            labels.append(asked)
            owners.append(owner)
            places.append(np.arange(len(tokens)) - np.array(row.starts)[owner])
        inputs = {
            "input_ids": torch.from_numpy(np.stack(hidden)),
            "labels": torch.from_numpy(np.stack(labels)),
            "owners": torch.from_numpy(np.stack(owners)),
            "position_ids": torch.from_numpy(np.stack(places)),
        }
        return Batch(inputs, inputs["input_ids"].numel()), position

    def loss(self, network: Any, batch: Batch) -> Tensor:
        """The head reads the hidden tokens alone, for nothing else is asked."""
        owners, labels = batch.inputs["owners"], batch.inputs["labels"]
        seen = owners.unsqueeze(1) == owners.unsqueeze(2)  # [rows, tokens, tokens]: of the same document
        body = network.base_model(
            input_ids=batch.inputs["input_ids"],
            position_ids=batch.inputs["position_ids"],
            attention_mask=seen.unsqueeze(1),
        ).last_hidden_state
        asked = labels != IGNORED
        return cross_entropy(network.cls(body[asked]).float(), labels[asked])
