"""Log-probabilities of tokens, looked up in logits that are made only where something is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from tianti.engine.requests import Failure
from tianti.engine.tokens import Tokens, Window

LOGITS_AT_ONCE = 1 << 24
"""Numbers in one block of the float32 log-softmax: 64 MiB."""


CANNOT_BE_READ_SO = (
    NotImplementedError,
    TypeError,
    ValueError,
    KeyError,
    RuntimeError,
    AttributeError,
    IndexError,
)
"""What families raise in a check at load when they take other arguments or caches than a way of reading gives them."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Per-token log-probabilities in nats of one window, and whether each token was the likeliest."""

    logprobs: list[float]
    is_greedy: bool


class Scorer(Protocol):
    """A way of computing the scores of windows. All ways give the same numbers within rounding."""

    def prepare(self, windows: Sequence[Window]) -> None:
        """Compute what these windows have in common, and keep it for windows to come that have it too."""
        ...

    def score(self, windows: Sequence[Window]) -> Iterator[tuple[int, Scored | Failure]]:
        """(number of the window, its scores), as they become ready."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What a run records about the way."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """Tokens that the network reads, and the windows that need it.

    Windows that read the same tokens and differ in the last one only (letter choices) or in where the continuation
    starts share a reading.
    """

    tokens: Tokens
    windows: list[int]
    scored: int
    """The most positions, counted from the end, that any of the windows scores."""


def readings(windows: Sequence[Window]) -> list[Reading]:
    """The distinct token sequences that `windows` read, in order of first appearance."""
    sharing: dict[bytes, list[int]] = {}
    for number, window in enumerate(windows):
        sharing.setdefault(window.tokens[:-1].tobytes(), []).append(number)
    return [
        Reading(windows[numbers[0]].tokens[:-1], numbers, max(windows[number].scored for number in numbers))
        for numbers in sharing.values()
    ]


class Head:
    """The output head of a network, run only at the positions asked for.

    Hidden states are gathered just before the head, inside the network's own forward pass, so that whatever it does to
    its logits afterwards (soft-capping, scaling) is still done.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        self.module = network.get_output_embeddings()

    @property
    def found(self) -> bool:
        """Whether the network has a head that can be told apart."""
        return isinstance(self.module, torch.nn.Module)

    @contextmanager
    def reads(self, gather: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
        """Inside, the head sees only the n hidden states that `gather` takes from those of batch × length.

        The network's logits are then 1 × n × vocabulary.
        """

        def narrow(module: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            return (gather(given[0]).unsqueeze(0), *given[1:])

        hook = self.module.register_forward_pre_hook(narrow)
        try:
            yield
        finally:
            hook.remove()

    def logits(self, gather: Callable[[torch.Tensor], torch.Tensor], **inputs: Any) -> torch.Tensor:
        """Logits (n × vocabulary) of a causal network at the n hidden states that `gather` takes."""
        with self.reads(gather):
            logits: torch.Tensor = self.network(**{"use_cache": False, **inputs}).logits
        return logits[0]


def look_up(
    logits: torch.Tensor, rows: NDArray[np.int64], targets: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log-probability of each target at its row of `logits` (positions × vocabulary), and whether it is the likeliest.

    The log-softmax is taken in float32, whatever the dtype of the logits.
    """
    at = torch.from_numpy(rows).to(logits.device)
    wanted = torch.from_numpy(targets.astype(np.int64)).to(logits.device)
    highest = logits.amax(dim=-1).float()
    blocks = zip(
        *(torch.split(part, max(1, LOGITS_AT_ONCE // logits.shape[-1])) for part in (logits, highest)),
        strict=True,
    )
    total = (
        highest
        + torch.cat([(some.float() - most[:, None]).exp_().sum(dim=-1) for some, most in blocks]).log_()
    )
    logit = logits[at, wanted].float()
    likeliest = logit == highest[at]
    # Of tokens that are exactly as likely the first counts.
    tied = likeliest.nonzero()[:, 0]
    likeliest[tied] = logits[at[tied]].argmax(dim=-1) == wanted[tied]
    return (logit - total[at]).cpu().numpy(), likeliest.cpu().numpy()


def cut_scores(
    logprobs: NDArray[np.float32], likeliest: NDArray[np.bool_], lengths: Sequence[int]
) -> list[Scored]:
    """Consecutive targets as one `Scored` for each of `lengths`."""
    ends = np.cumsum([0, *lengths])
    return [
        Scored(logprobs[start:end].tolist(), bool(likeliest[start:end].all()))
        for start, end in pairwise(ends)
    ]


def plain_logits(network: Any, tokens: Tokens) -> torch.Tensor:
    """The logits (length × vocabulary) of one row, by the network alone: what every other way must equal."""
    row = torch.from_numpy(tokens.astype(np.int64))[None].to(next(network.parameters()).device)
    logits: torch.Tensor = network(input_ids=row, attention_mask=torch.ones_like(row)).logits
    return logits[0, -len(tokens) :]


def about_equal(logits: torch.Tensor, reference: torch.Tensor) -> bool:
    """Whether two ways of computing logits agree within the rounding of their dtype; NaN equals NaN."""
    if logits.shape != reference.shape:
        return False
    close = 1e-4 if reference.dtype == torch.float32 else 0.03
    scale = max(1.0, float(reference.float().nan_to_num(0.0, 0.0, 0.0).abs().max()))
    return torch.allclose(logits.float(), reference.float(), rtol=0, atol=close * scale, equal_nan=True)
