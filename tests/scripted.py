"""A network that writes what a test tells it to."""

from __future__ import annotations

from typing import Any

import torch

from tianti.engine import GenerateRequest
from tianti.engine.causal import CausalBackend
from tiny import tiny_gpt2, tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def answer(network: Any, *requests: GenerateRequest, tokenizer: Any = TOKENIZER, **how: Any) -> list[Any]:
    found = dict(CausalBackend(network, tokenizer, **how).answer(requests))
    return [found[index] for index in range(len(requests))]


class Scripted:
    """Makes a network that writes the given tokens, one after the other, whatever stands before."""

    def __init__(self, context: str, text: str | list[int]) -> None:
        self.network = tiny_gpt2()
        tokens = TOKENIZER.encode(text) if isinstance(text, str) else text
        start = len(TOKENIZER.encode(context))
        self.network.transformer.wpe.register_forward_hook(self._note_positions)
        self.network.lm_head.register_forward_hook(self._write)
        self.at = {start - 1 + place: token for place, token in enumerate(tokens)}
        self.positions = torch.zeros(1, 1, dtype=torch.long)

    def _note_positions(self, module: Any, inputs: Any, output: Any) -> None:
        self.positions = inputs[0]

    def _write(self, module: Any, inputs: Any, logits: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros_like(logits)
        for row, positions in enumerate(self.positions.expand(logits.shape[0], -1)):
            for column, position in enumerate(positions[-logits.shape[1] :].tolist()):
                logits[row, column, self.at.get(position, 5)] = 9.0
        return logits
