"""A text in progress, as a session of continuous batching sees it."""

from __future__ import annotations

import numpy as np

from tianti.engine.generation.slots import Segment
from tianti.engine.generation.writing import Writing
from tianti.engine.tokens import Tokens

EXPECTED = 64
"""Tokens that a text is given room for before it is known how long it becomes."""


class Text:
    """A text in progress: `held` of its tokens behind those that it shares are in its row.

    What it shares is the first `depth` tokens, the trunk, and perhaps `shared`, of which `segment` has keys and values
    while it is in progress.
    """

    def __init__(self, number: int, writing: Writing, depth: int) -> None:
        self.number = number
        self.writing = writing
        self.prompt = writing.prompt.tokens[depth:]
        self.shared: bytes | None = None
        self.segment: Segment | None = None
        self.held = 0
        self.alone = False
        """Whether it is written with no other, since its logits were not finite among others."""

    def start_again_alone(self) -> None:
        self.writing = Writing(self.writing.prompt, self.writing.ends)
        self.held = 0
        self.alone = True

    def share(self) -> None:
        """Have all of its prompt but the last token in a segment."""
        self.shared = self.prompt[:-1].tobytes()
        self.prompt = self.prompt[-1:]

    @property
    def length(self) -> int:
        """Its tokens behind those that it shares, those written included."""
        return len(self.prompt) + len(self.writing.written)

    @property
    def need(self) -> int:
        """The room that it is expected to take."""
        return self.length + min(self.writing.room, EXPECTED)

    @property
    def next_token(self) -> int:
        written = self.held - len(self.prompt)
        return int(self.prompt[self.held]) if written < 0 else self.writing.written[written]

    def before_last(self) -> Tokens:
        """All its tokens but the last, whose logits are those of the next step."""
        return np.concatenate((self.prompt, np.array(self.writing.written, dtype=np.int32)))[:-1]
