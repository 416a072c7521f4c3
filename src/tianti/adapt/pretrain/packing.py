"""Documents into sequences: what a network reads in training is whole sequences of one length, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from tianti.adapt.pretrain.corpus import Corpus
from tianti.core.exceptions import InputError
from tianti.core.seeds import derive_seed


@dataclass(frozen=True)
class Piece:
    """A document, or as much of it as a sequence takes. `words`: which word each token is part of, −1 for none."""

    tokens: list[int]
    words: list[int]


class Source(Protocol):
    """Pieces by number, without end; the same number is the same piece for ever."""

    def piece(self, number: int) -> Piece: ...

    def text(self, number: int) -> str:
        """Document `number` as it is written."""
        ...


class Encoder:
    """Texts to pieces, as one architecture reads them: bert's documents stand between [CLS] and [SEP], others end."""

    def __init__(self, tokenizer: Any, architecture: str, length: int) -> None:
        self.tokenizer = tokenizer
        self.length = length
        masked = architecture == "bert"
        self.before = [int(tokenizer.cls_token_id)] if masked else []
        self.after = [int(tokenizer.sep_token_id if masked else tokenizer.eos_token_id)]

    def pieces(self, texts: Sequence[str]) -> list[Piece]:
        """All of the texts; what does not fit into a sequence goes on in the next piece."""
        encoded = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)
        pieces = []
        for number, ids in enumerate(encoded["input_ids"]):
            words = [-1 if word is None else word for word in encoded.word_ids(number)]
            pieces += self._cut(ids, words)
        return pieces

    def _cut(self, ids: list[int], words: list[int]) -> list[Piece]:
        if self.before:
            room = self.length - len(self.before) - len(self.after)
            return [
                Piece([*self.before, *ids[at : at + room], *self.after], [-1, *words[at : at + room], -1])
                for at in range(0, len(ids), room)
            ]
        ids, words = [*ids, *self.after], [*words, -1]
        return [
            Piece(ids[at : at + self.length], words[at : at + self.length])
            for at in range(0, len(ids), self.length)
        ]


class Endless:
    """The documents of a corpus that never ends, each cut to the length of a sequence."""

    def __init__(self, corpus: Corpus, encoder: Encoder) -> None:
        self.corpus, self.encoder = corpus, encoder

    def piece(self, number: int) -> Piece:
        return self.encoder.pieces([self.corpus.text(number)])[0]

    def text(self, number: int) -> str:
        return self.corpus.text(number)


class Shelf:
    """A finite set of texts, again and again: in a new order each time, or always in their own where `seed` is None."""

    def __init__(self, texts: Sequence[str], encoder: Encoder, seed: int | None) -> None:
        self.texts = texts
        self.seed = seed
        self.pieces = [
            piece
            for start in range(0, len(texts), 1024)
            for piece in encoder.pieces(texts[start : start + 1024])
        ]
        self.tokens = sum(len(piece.tokens) for piece in self.pieces)

    def piece(self, number: int) -> Piece:
        epoch, place = divmod(number, len(self.pieces))
        return self.pieces[self._order(epoch)[place]]

    def text(self, number: int) -> str:
        return self.texts[number % len(self.texts)]

    def _order(self, epoch: int) -> Sequence[int]:
        return range(len(self.pieces)) if self.seed is None else _shuffled(len(self.pieces), self.seed, epoch)


@lru_cache(maxsize=4)
def _shuffled(count: int, seed: int, epoch: int) -> list[int]:
    order: list[int] = np.random.default_rng(derive_seed("order", seed, epoch)).permutation(count).tolist()
    return order


def sources(corpus: Corpus, encoder: Encoder, seed: int) -> tuple[Source, Shelf]:
    """What is learned from, and what is validated on.

    Raises:
        InputError: too little text for one sequence of each.
    """
    held = Shelf(corpus.held, encoder, None)
    learned = Endless(corpus, encoder) if corpus.finite is None else Shelf(corpus.finite, encoder, seed)
    for name, shelf in (("to learn from", learned), ("held out", held)):
        if isinstance(shelf, Shelf) and shelf.tokens < encoder.length:
            raise InputError(
                f"too little data: the documents {name} have {shelf.tokens:,} tokens, and one sequence has "
                f"{encoder.length:,}",
                remedy="give more text, or a smaller --length",
            )
    return learned, held


@dataclass(frozen=True)
class Row:
    """One sequence. `starts` are the places where its pieces begin; `words` numbers words through all of them."""

    tokens: list[int]
    words: list[int]
    starts: list[int]


def pack(source: Source, position: int, length: int) -> tuple[Row, int]:
    """The sequence that begins with piece `position`, and the number of the first piece that is not in it.

    Each sequence begins with a piece, as a prompt does, and is then filled up; the rest of the last piece is left
    out. Long documents come as pieces of a whole sequence, so little is lost.
    """
    tokens: list[int] = []
    words: list[int] = []
    starts: list[int] = []
    while len(tokens) < length:
        piece = source.piece(position)
        starts.append(len(tokens))
        base = max(words, default=-1) + 1
        words += [word if word < 0 else word + base for word in piece.words]
        tokens += piece.tokens
        position += 1
    return Row(tokens[:length], words[:length], starts), position
