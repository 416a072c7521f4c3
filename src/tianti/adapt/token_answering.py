"""What tagging words and marking spans have in common: texts in windows, batches of windows, outputs of each token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from tianti.adapt.answering import network_facts
from tianti.adapt.networks import TokenNetwork
from tianti.adapt.samples import pad
from tianti.adapt.token_rows import Framed, TokenReader, Windowed
from tianti.engine import Failure, Request
from tianti.engine.batches import Batches, BatchLimit, Row, Usage


@dataclass(frozen=True)
class Outputs:
    """Log-probabilities of one text, [tokens, outputs], and the tokens that were read for it."""

    logprobs: NDArray[np.float64]
    tokens: int


class TokenBackend:
    """The base of backends whose network has outputs for each token. Long texts are read in windows."""

    def __init__(
        self,
        network: TokenNetwork,
        tokenizer: Any,
        batch: int | Literal["auto"],
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.reader = TokenReader(network, tokenizer)
        self.batch = batch
        self.limit = BatchLimit() if batch == "auto" else BatchLimit(rows=batch)
        self.usage = Usage(limit=self.limit)
        self._facts = dict(facts or {})

    def prepare(self, requests: Sequence[Request]) -> None:
        """Requests have nothing in common that could be computed once."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        return [len(row) for row in self.tokenizer(list(texts), verbose=False)["input_ids"]]

    def facts(self) -> Mapping[str, Any]:
        return {
            **network_facts(self.network),
            "pooling": "none",
            **self._facts,
            "max_length": self.reader.max_length,
            "batch": self.batch,
            **self.usage.facts(),
        }

    def outputs(
        self, texts: Sequence[Framed], over: Literal["outputs", "tokens"] = "outputs"
    ) -> Iterator[tuple[int, Outputs | Failure]]:
        """For each text, by its number, the log-softmax `over` the outputs of a token or over the tokens of a text."""
        read = [self.reader.windows(text) for text in texts]
        rows = [row for windows in read if isinstance(windows, Windowed) for row in windows.rows]
        logits = self._logits(rows)
        first = 0
        for number, windows in enumerate(read):
            if isinstance(windows, Failure):
                yield number, windows
                continue
            parts = [logits[first + place] for place in range(len(windows.rows))]
            first += len(windows.rows)
            yield number, _joined(windows, parts, over)

    def _logits(self, rows: Sequence[Any]) -> dict[int, NDArray[np.float64] | Failure]:
        def run(batch: Sequence[int]) -> list[NDArray[np.float64]]:
            device = self.network.head.weight.device
            ids, mask = pad([rows[index] for index in batch], self.reader.fill, device)
            with torch.no_grad():
                found = self.network(ids, mask).double().cpu().numpy()
            return [part[: len(rows[index])] for part, index in zip(found, batch, strict=True)]

        return dict(Batches([Row(len(row)) for row in rows], run, self.limit, self.usage))


def _joined(
    windows: Windowed, parts: Sequence[NDArray[np.float64] | Failure], over: Literal["outputs", "tokens"]
) -> Outputs | Failure:
    kept = []
    for part, (start, stop) in zip(parts, windows.kept, strict=True):
        if isinstance(part, Failure):
            return part
        kept.append(part[start:stop])
    logits, tokens = np.concatenate(kept), sum(map(len, windows.rows))
    if not np.isfinite(logits).all():
        return Failure("error", "non_finite: the outputs of the head are not finite", tokens=tokens)
    axis = 1 if over == "outputs" else 0
    return Outputs(logits - np.logaddexp.reduce(logits, axis=axis, keepdims=True), tokens)
