"""The settings of a pre-training: all that its result depends on, beside the data."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tianti.core.exceptions import InputError, UnknownNameError

ARCHITECTURES = {
    "llama": "a causal language model (Llama): learns the next token",
    "gpt2": "a causal language model (GPT-2): learns the next token",
    "bert": "a masked language model (BERT): learns masked tokens from both sides",
    "t5": "an encoder–decoder model (T5): learns to write the spans that were taken out of a text",
}
"""What can be pre-trained, by the name that `--arch` takes."""

SIZES = {
    "nano": (128, 4, 4),
    "tiny": (128, 2, 2),
    "mini": (256, 4, 4),
    "small": (512, 4, 8),
    "medium": (512, 8, 8),
    "base": (768, 12, 12),
}
"""Width, layers and heads by name; from `tiny` on those of BERT's miniatures (Turc et al. 2019, arXiv 1908.08962)."""


@dataclass(frozen=True)
class Pretraining:
    """Lengths and `vocabulary` count tokens, `batch` counts sequences, `steps`, `warmup` and `interval` count updates.

    Raises:
        UnknownNameError: no such architecture.
        InputError: sizes that do not fit each other.
    """

    seed: int = 1
    vocabulary: int = 2048
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    positions: int = 1024
    length: int = 384
    batch: int = 3
    steps: int = 4000
    warmup: int = 100
    learning_rate: float = 4e-3
    weight_decay: float = 0.1
    clip: float = 1.0
    interval: int = 400
    """Steps between validations, and between checkpoints."""
    tokenizer_documents: int = 10_000
    threads: int = 1
    architecture: str = "llama"
    corrupted: float = 0.15
    """The share of tokens that bert's and t5's objectives hide."""
    span: float = 3.0
    """The mean length of the spans that t5 takes out."""
    whole_words: bool = True
    """Whether bert masks words as wholes, instead of tokens one by one."""
    answering: float = 0.0
    """The share of steps in which t5 learns to go on after the last line's colon instead of filling in spans."""
    continuing: float = 0.0
    """The share of steps in which t5 learns to go on after a random place of a document."""
    table_rate: float = 1.0
    """How much faster embeddings learn than all else."""
    precision: str = "auto"
    """`float32`, `bfloat16` (products only), or `auto`: bfloat16 where the machine computes fast with it."""

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise UnknownNameError("architecture", self.architecture, ARCHITECTURES)
        for name in ("vocabulary", "hidden", "layers", "heads", "length", "batch", "steps", "interval"):
            _require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}", "give at least 1")
        _require(
            self.hidden % self.heads == 0,
            f"a width of {self.hidden} cannot be shared among {self.heads} heads",
            f"give a width that is a multiple of the heads, such as {-(-self.hidden // self.heads) * self.heads}",
        )
        # Llama turns pairs of numbers by their position.
        _require(
            self.architecture != "llama" or self.hidden // self.heads % 2 == 0,
            f"llama needs heads of an even width, and {self.hidden} by {self.heads} is {self.hidden // self.heads}",
            "give other sizes, such as 128x4x4",
        )
        _require(
            8 <= self.length <= self.positions,
            f"sequences of {self.length} tokens, and the model reads {self.positions}",
            "give a length from 8 to the number of positions",
        )
        _require(
            0 < self.corrupted < 1 and self.span >= 1 and 0 <= self.answering + self.continuing <= 1,
            f"corrupted {self.corrupted}, span {self.span}, answering {self.answering}",
            "shares lie between 0 and 1, spans have at least one token",
        )
        _require(
            self.learning_rate > 0,
            f"the learning rate {self.learning_rate} is not above 0",
            "give one that is",
        )
        _require(
            self.precision in ("auto", "float32", "bfloat16"),
            f"there is no precision {self.precision!r}",
            "give auto, float32 or bfloat16",
        )

    def rate(self, step: int) -> float:
        """The learning rate: linear warm-up, then a cosine down to a tenth."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.55 + 0.45 * math.cos(math.pi * done))


def parse_size(text: str) -> tuple[int, int, int]:
    """Width, layers and heads of a named size, or of WIDTHxLAYERSxHEADS.

    >>> parse_size("mini"), parse_size("96x3x4")
    ((256, 4, 4), (96, 3, 4))
    """
    if (numbers := re.fullmatch(r"(\d+)x(\d+)x(\d+)", text)) is not None:
        width, layers, heads = map(int, numbers.groups())
        return width, layers, heads
    if text not in SIZES:
        raise UnknownNameError("size", text, SIZES, remedy="or give WIDTHxLAYERSxHEADS, such as 128x4x4")
    return SIZES[text]


def default_rate(hidden: int) -> float:
    """4e-3 at the width 128, where it was measured, and in inverse proportion to the width elsewhere.

    That is how the best rate of matrices goes with the width (Yang et al. 2022, arXiv 2203.03466).
    """
    return 4e-3 * 128 / hidden


def _require(right: bool, fault: str, remedy: str) -> None:
    if not right:
        raise InputError(f"pre-training: {fault}", remedy=remedy)
