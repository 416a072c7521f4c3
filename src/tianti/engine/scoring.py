"""Log-probabilities of tokens: the network runs over padded rows, its output head only where something is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tianti.engine.tokens import Tokens, Window

LOGITS_AT_ONCE = 1 << 26
"""Numbers in one block of the float32 log-softmax: 256 MiB."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One row that the network reads, and the windows that need it.

    Windows that read the same tokens and differ in the last one only (letter choices) or in where the continuation
    starts share a row.
    """

    tokens: Tokens
    windows: list[int]
    scored: int
    """The most positions, counted from the end, that any of the windows scores."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Per-token log-probabilities in nats of one window, and whether each token was the likeliest."""

    logprobs: list[float]
    is_greedy: bool


def readings(windows: Sequence[Window]) -> list[Reading]:
    """The distinct rows that `windows` read, in order of first appearance."""
    sharing: dict[bytes, list[int]] = {}
    for number, window in enumerate(windows):
        sharing.setdefault(window.tokens[:-1].tobytes(), []).append(number)
    return [
        Reading(windows[numbers[0]].tokens[:-1], numbers, max(windows[number].scored for number in numbers))
        for numbers in sharing.values()
    ]


class Scorer:
    """Runs a causal network and looks up log-probabilities.

    Hidden states are gathered at the scored positions just before the output head, inside the network's own forward
    pass, so that whatever it does to its logits afterwards (soft-capping, scaling) is still done. Where a check on a
    few tokens shows that this gives other numbers, or the head cannot be found, all logits are made: `path` says which.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        self.device = next(network.parameters()).device
        self.head = network.get_output_embeddings()
        self.path = "gathered" if self._gathering_is_right() else "full"

    @torch.inference_mode()
    def score(self, windows: Sequence[Window], rows: Sequence[Reading]) -> list[list[Scored]]:
        """For each row the scores of its windows, in the order of `row.windows`."""
        counts = [row.scored for row in rows]
        first = np.cumsum([0, *counts])
        row_of = np.repeat(np.arange(len(rows)), counts)
        position = np.concatenate([np.arange(len(row.tokens) - row.scored, len(row.tokens)) for row in rows])
        logits = self._logits(self.path, [row.tokens for row in rows], row_of, position)

        scored = [windows[number] for row in rows for number in row.windows]
        ends = [int(first[index + 1]) for index, row in enumerate(rows) for _ in row.windows]
        at = np.concatenate([np.arange(end - w.scored, end) for end, w in zip(ends, scored, strict=True)])
        targets = np.concatenate([window.tokens[-window.scored :] for window in scored])
        logprobs, likeliest = self._look_up(logits, at, targets)

        results: list[list[Scored]] = []
        start = 0
        for row in rows:
            results.append([])
            for number in row.windows:
                end = start + windows[number].scored
                results[-1].append(Scored(logprobs[start:end].tolist(), bool(likeliest[start:end].all())))
                start = end
        return results

    def _look_up(
        self, logits: torch.Tensor, at: NDArray[np.int64], targets: NDArray[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Log-probability of each target at its row of `logits` (positions × vocabulary), and whether it is largest."""
        rows = torch.from_numpy(at).to(self.device)
        wanted = torch.from_numpy(targets.astype(np.int64)).to(self.device)
        blocks = torch.split(logits, max(1, LOGITS_AT_ONCE // logits.shape[-1]))
        total = torch.cat([block.float().logsumexp(dim=-1) for block in blocks])
        logprobs = logits[rows, wanted].float() - total[rows]
        likeliest = logits.argmax(dim=-1)[rows] == wanted
        return logprobs.cpu().numpy(), likeliest.cpu().numpy()

    def _logits(
        self, path: str, rows: Sequence[Tokens], row_of: NDArray[np.int64], position: NDArray[np.int64]
    ) -> torch.Tensor:
        """Logits (n × vocabulary) at each `position` of the row of the same place in `row_of`, both of length n."""
        lengths = np.array([len(row) for row in rows])
        padded = np.zeros((len(rows), lengths.max()), dtype=np.int64)
        for index, tokens_of_row in enumerate(rows):
            padded[index, : len(tokens_of_row)] = tokens_of_row
        tokens = torch.from_numpy(padded).to(self.device)
        row = torch.from_numpy(row_of).to(self.device)
        at = torch.from_numpy(position).to(self.device)

        if path == "gathered":
            # Padding stands on the right, where a causal network cannot see it: no mask is needed.
            def gather(module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
                soft_prompt = inputs[0].shape[1] - tokens.shape[1]
                return (inputs[0][row, at + soft_prompt].unsqueeze(0), *inputs[1:])

            hook = self.head.register_forward_pre_hook(gather)
            try:
                logits: torch.Tensor = self.network(input_ids=tokens, use_cache=False).logits
            finally:
                hook.remove()
            return logits[0]
        mask = torch.from_numpy(np.arange(padded.shape[1]) < lengths[:, None]).long().to(self.device)
        logits = self.network(input_ids=tokens, attention_mask=mask).logits
        return logits[row, at + logits.shape[1] - tokens.shape[1]]

    @torch.inference_mode()
    def _gathering_is_right(self) -> bool:
        """Whether gathered logits of padded rows equal the full logits of each row alone."""
        if not isinstance(self.head, torch.nn.Module):
            return False
        vocabulary = self.network.get_input_embeddings().weight.shape[0]
        rows = [np.arange(length, dtype=np.int32) * 7 % vocabulary for length in (3, 6)]
        row_of, position = np.array([0, 0, 1, 1, 1]), np.array([1, 2, 0, 3, 5])
        gathered = self._logits("gathered", rows, row_of, position)
        alone = [
            self._logits("full", [row], np.zeros(len(at), dtype=np.int64), at)
            for row, at in zip(rows, (position[:2], position[2:]), strict=True)
        ]
        return about_equal(gathered, torch.cat(alone))


def about_equal(logits: torch.Tensor, reference: torch.Tensor) -> bool:
    """Whether two ways of computing logits agree within the rounding of their dtype; NaN equals NaN."""
    if logits.shape != reference.shape:
        return False
    close = 1e-4 if reference.dtype == torch.float32 else 0.03
    scale = max(1.0, float(reference.float().nan_to_num(0.0, 0.0, 0.0).abs().max()))
    return torch.allclose(logits.float(), reference.float(), rtol=0, atol=close * scale, equal_nan=True)
