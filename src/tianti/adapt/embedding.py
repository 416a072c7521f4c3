"""Texts as points: the mean of a model's own last hidden states, by which similar examples are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tianti.core.exceptions import IncompatibleError
from tianti.engine.tokens import find_max_length
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots

BATCH = 32


class Embedder:
    """Texts → (texts, hidden size): the mean over a text's tokens of the last hidden layer; of an encoder–decoder
    model that of its encoder. A text keeps its last tokens where it is longer than the model reads.

    A text is read once and kept.
    """

    def __init__(self, model: LoadedModel) -> None:
        network, self.tokenizer = model.pair()
        seq2seq = model.model.architecture == "seq2seq"
        self.network = network.get_encoder() if seq2seq else network
        self.device = next(network.parameters()).device
        self.max_length = min(
            find_max_length(network.config, self.tokenizer), int(self.tokenizer.model_max_length)
        )
        self._known: dict[str, Any] = {}

    def __call__(self, texts: Sequence[str]) -> Any:
        new = sorted({text for text in texts if text not in self._known}, key=lambda text: (len(text), text))
        for start in range(0, len(new), BATCH):
            part = new[start : start + BATCH]
            self._known |= dict(zip(part, self._read(part), strict=True))
        return np.stack([self._known[text] for text in texts])

    def _read(self, texts: Sequence[str]) -> Any:
        rows = [self.tokenizer(text)["input_ids"][-self.max_length :] for text in texts]
        longest = max(map(len, rows))
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row, dtype=torch.long)
            mask[place, : len(row)] = 1
        ids, mask = ids.to(self.device), mask.to(self.device)
        with torch.no_grad():
            output = self.network(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        weights = mask.unsqueeze(-1).double()
        means = (output.hidden_states[-1].double() * weights).sum(1) / weights.sum(1).clamp(min=1)
        return means.cpu().numpy()


def with_embedder(shots: Shots, model: LoadedModel) -> Shots:
    """The shots with what reads texts, where their selection needs it.

    Raises:
        IncompatibleError: the model runs in an engine that gives no hidden states.
    """
    if shots.selection != "embedding":
        return shots
    if model.llm is not None:
        raise IncompatibleError(
            f"selection=embedding does not fit the engine {model.options.engine}: it shows no hidden states",
            remedy="take selection=similar, or leave the engine at transformers",
        )
    return replace(shots, encode=Embedder(model))
