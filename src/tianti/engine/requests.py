"""What a model can be asked, and what it answers.

| Request           | asks                                                   | Response           |
|-------------------|--------------------------------------------------------|--------------------|
| `ScoreRequest`    | how likely is this continuation after this context?    | `ScoreResponse`    |
| `RollingRequest`  | how likely is this whole text?                         | `RollingResponse`  |
| `GenerateRequest` | what comes next?                                       | `GenerateResponse` |
| `ChooseRequest`   | which of these choices? (a head or a classifier says)  | `ChooseResponse`   |
| `TagRequest`      | which label has each word? (a head says)               | `TagResponse`      |
| `SpanRequest`     | which part of the passage answers? (a head says)       | `SpanResponse`     |

The first three have the meaning of lm-evaluation-harness's `loglikelihood`, `loglikelihood_rolling` and
`generate_until`, so that the numbers are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class ScoreRequest:
    """The log-probability of `continuation` after `context`.

    `truncate`: a context that does not fit loses its first tokens, as in lm-evaluation-harness; otherwise such a
    request is skipped with the reason.
    """

    context: str
    continuation: str
    truncate: bool = False


@dataclass(frozen=True)
class RollingRequest:
    """The log-probability of a whole text, each token predicted once, in windows of the model's length."""

    text: str


@dataclass(frozen=True)
class Thinking:
    """A thought before the answer: all that is written up to the string `end`.

    After `max_tokens` tokens without it, `end` is put there and the answer begins ("budget forcing", Muennighoff et
    al. 2025, "s1: Simple test-time scaling").
    """

    max_tokens: int
    end: str = "</think>"


@dataclass(frozen=True)
class GenerateRequest:
    """A continuation of `context`, cut before the first of the `stop` strings.

    `temperature` 0 is greedy. `seed` makes a sampled continuation repeatable. A context fits when `max_tokens` more
    fit behind it, and with `thinking` a whole thought too; `truncate` says what becomes of one that does not, as for
    `ScoreRequest`. `stop` and `max_tokens` are those of the answer, not of the thought.
    """

    context: str
    stop: tuple[str, ...] = ("\n\n",)
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    truncate: bool = False
    thinking: Thinking | None = None


@dataclass(frozen=True)
class ChooseRequest:
    """One of `choices` for `text`, as a classification head or a classical classifier sees it.

    Where the text is two, `pair` has them apart for who can read a pair; `text` has both, one a line.
    """

    text: str
    choices: tuple[str, ...]
    pair: tuple[str, str] | None = None


@dataclass(frozen=True)
class TagRequest:
    """One of `labels` for each word of `text`; `words` are the words' places, [start, end) in characters."""

    text: str
    words: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class SpanRequest:
    """The part of `passage` that answers `question`."""

    question: str
    passage: str


Request = ScoreRequest | RollingRequest | GenerateRequest | ChooseRequest | TagRequest | SpanRequest


@dataclass(frozen=True)
class ScoreResponse:
    """`logprob` is the sum over the continuation's tokens, in nats; `token_logprobs` are its terms."""

    logprob: float
    is_greedy: bool
    token_logprobs: tuple[float, ...] = ()
    tokens: int = 0
    """Tokens of context and continuation that the model read for this request."""


@dataclass(frozen=True)
class RollingResponse:
    """`logprob` is the sum over all tokens of the text, in nats."""

    logprob: float
    tokens: int = 0


@dataclass(frozen=True)
class GenerateResponse:
    """`truncated`: the token limit ended it, not a stop string or the end-of-text token.

    `text` is the answer alone; the thought before it, if one was asked for, is in `thought`. `thought_truncated`: the
    thought reached its limit.
    """

    text: str
    truncated: bool = False
    tokens: int = 0
    """Tokens of context, thought and continuation."""
    thought: str = ""
    thought_truncated: bool = False


@dataclass(frozen=True)
class ChooseResponse:
    """Log-probabilities over the choices, in their order (they sum to one after exp)."""

    logprobs: tuple[float, ...]
    tokens: int = 0


@dataclass(frozen=True)
class TagResponse:
    """One label for each word of the request, in their order."""

    tags: tuple[str, ...]
    tokens: int = 0


@dataclass(frozen=True)
class SpanResponse:
    """`text` is the passage from character `start` to `end` (exclusive); `logprob` that of both ends together."""

    text: str
    start: int
    end: int
    logprob: float
    tokens: int = 0


@dataclass(frozen=True)
class Failure:
    """Why a request has no answer.

    `state` is `skipped` when the request cannot be asked of this model (longer than its context), `error` when the
    model failed (log-probabilities that are not finite). Neither is ever a wrong answer.
    """

    state: Literal["skipped", "error"]
    reason: str
    tokens: int = field(default=0)


Response = (
    ScoreResponse | RollingResponse | GenerateResponse | ChooseResponse | TagResponse | SpanResponse | Failure
)
