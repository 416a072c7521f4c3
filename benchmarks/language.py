"""An invented language with a fast tokenizer of any size, made on the spot: texts have the lengths asked for."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CONSONANTS = "bcdfghjklmnpqrstvwxyz"
VOWELS = "aeiou"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SPACE, NEWLINE = "Ġ", "Ċ"
"""How a byte-level BPE writes them."""
SPECIAL = ("<pad>", "<s>", "</s>")
"""Tokens 0, 1 and 2; the tokenizer adds none of them by itself."""


@dataclass(frozen=True)
class Language:
    """A byte-level BPE and the words that are one token each, with the space before them."""

    tokenizer: Any
    words: tuple[str, ...]

    def passage(self, draw: random.Random, tokens: int) -> str:
        """A text of exactly this many tokens that begins with a line break."""
        return "\n" + self.phrase(draw, tokens - 1)

    def phrase(self, draw: random.Random, tokens: int) -> str:
        """A text of exactly this many tokens, each a word with the space before it."""
        return "".join(draw.choices(self.words, k=tokens))


def make_language(vocabulary: int) -> Language:
    """A language of `vocabulary` tokens: bytes, syllables, then words of two and three syllables.

    Raises:
        ValueError: too few tokens for the syllables, or more than there are words.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*SPECIAL, *alphabet]
    merges = list(itertools.islice(_merges(), vocabulary - len(tokens)))
    tokens += ["".join(pair) for pair in merges]
    words = tuple(" " + token[1:] for token in tokens if token.startswith(SPACE) and token[1:].islower())
    if len(tokens) != vocabulary or not words:
        raise ValueError(f"no language of {vocabulary} tokens: between 1,000 and a million are possible")
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=SPECIAL[0],
        bos_token=SPECIAL[1],
        eos_token=SPECIAL[2],
        clean_up_tokenization_spaces=False,
    )
    return Language(fast, words)


def _merges() -> Iterator[tuple[str, str]]:
    """Pairs of tokens in the order in which BPE joins them: a word grows from its space, syllable by syllable."""
    syllables = ["".join(pair) for pair in itertools.product(CONSONANTS, VOWELS)]
    yield from itertools.product(CONSONANTS, VOWELS)
    yield from ((SPACE, letter) for letter in LETTERS)
    yield (NEWLINE, NEWLINE)
    yield from ((SPACE, syllable) for syllable in syllables)
    pairs = list(itertools.product(syllables, syllables))
    # Shuffled, so that a small vocabulary has words with every first syllable.
    random.Random(0).shuffle(pairs)
    yield from ((SPACE + first, second) for first, second in pairs)
    yield from pairs
    for third in syllables:
        yield from ((SPACE + first + second, third) for first, second in pairs)
