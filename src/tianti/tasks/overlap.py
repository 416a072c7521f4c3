"""What of a test set stands in training data: the same texts, nearly the same ones, and shared runs of words.

Three figures that are not mixed:

- exact: an item's question and answer are a training example's, but for case, punctuation and spaces;
- near: the word triples of item and example have a Jaccard similarity of 0.8 or more;
- covered: the share of an item's runs of 13 words that stand in any training example (13 as in Brown et al.
  2020, appendix C). At 0.8 (Touvron et al. 2023, appendix A.6) an item counts as overlapping.

In languages without spaces characters stand for words, 20 of them for 13 words and 5 for 3. What stands in many
training examples is the template's, not the item's, and counts neither for nor against it: else all samples
that are made from one template would pass for copies. Rewritten or translated items are not found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.stats.minhash import K, candidates, signatures, similarity, standard_error
from tianti.tasks.metrics import UNSPACED_LANGUAGES

Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]

NEAR = 0.8
"""The least Jaccard similarity of near duplicates."""
COVERED = 0.8
"""An item of which so large a share stands in the training data counts as overlapping."""
TEMPLATE = 10
"""What stands in more distinct training examples than this, or in more than half of them, is the template's."""

_SPACED = re.compile(r"\w+")
_UNSPACED = re.compile(r"[0-9a-z]+|\w")


@dataclass(frozen=True)
class Sizes:
    """In words, or in characters where a language writes no spaces."""

    ngram: int
    shingle: int
    unit: str


@dataclass(frozen=True)
class Overlap:
    """One value per item. `near` leaves out what is exact; `examples` counts the training examples looked at."""

    exact: Flags
    near: Flags
    covered: NDArray[np.float64]
    examples: int
    sizes: Sizes

    @property
    def overlapping(self) -> Flags:
        """Items that the training data gave away, whole or nearly so."""
        found: Flags = self.exact | self.near | (self.covered >= COVERED)
        return found


def sizes_in(language: str) -> Sizes:
    """How long the compared runs are in a language (`en`, `zh`, `zh-Hant`)."""
    unspaced = language.partition("-")[0] in UNSPACED_LANGUAGES
    return Sizes(20, 5, "characters") if unspaced else Sizes(13, 3, "words")


def find_overlap(items: Sequence[Sequence[str]], examples: Sequence[str], language: str = "en") -> Overlap:
    """What of the items stands in the examples. Linear in the length of all texts, and deterministic.

    Near duplicates are proposed by MinHash (k = 64) and decided by their exact similarity.

    Args:
        items: question and answer as one text; where several answers are right, one text for each.
        examples: the training examples in the same form.
    """
    sizes, split = sizes_in(language), _splitter(language)
    known = {_key(words): words for text in examples if (words := _words(text, split))}
    exact = same_texts(items, examples, language)
    train, test = _Texts(list(known.values())), _Texts([_words(texts[0], split) for texts in items])
    return Overlap(
        exact=exact,
        near=_near(test, train, sizes.shingle) & ~exact,
        covered=np.where(exact, 1.0, _covered(test, train, sizes.ngram)),
        examples=len(examples),
        sizes=sizes,
    )


def same_texts(items: Sequence[Sequence[str]], examples: Sequence[str], language: str = "en") -> Flags:
    """Which items are an example's, but for case, punctuation and spaces; arguments as `find_overlap`."""
    split = _splitter(language)
    known = {_key(words) for text in examples if (words := _words(text, split))}
    return np.array(
        [any(_key(words) in known for text in texts if (words := _words(text, split))) for texts in items],
        bool,
    )


def _splitter(language: str) -> re.Pattern[str]:
    """What finds the words of a text; the characters where a language writes no spaces."""
    return _UNSPACED if sizes_in(language).unit == "characters" else _SPACED


def _words(text: str, split: re.Pattern[str]) -> list[str]:
    """The words of a text in one form; the text itself where it has none (a row of dots, say)."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return split.findall(normal) or normal.split()


def _key(words: Sequence[str]) -> bytes:
    return hashlib.blake2b(" ".join(words).encode(), digest_size=16).digest()


class _Texts:
    """Texts as one row of word hashes."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        hashes = {word: _hash(word) for words in texts for word in words}
        self.count = len(texts)
        self.words = np.array([hashes[word] for words in texts for word in words], dtype=np.uint64)
        self.lengths = np.array([len(words) for words in texts], dtype=np.intp)

    def grams(self, n: int) -> tuple[Hashes, NDArray[np.intp]]:
        """The hash of each run of n words, and the text that it stands in, in the order of the texts."""
        ends = np.repeat(np.cumsum(self.lengths), self.lengths)
        inside = np.arange(len(self.words)) + n <= ends
        found = np.zeros(len(self.words), dtype=np.uint64)
        for place in range(n):
            found = found * np.uint64(0x9E3779B97F4A7C15) + np.roll(self.words, -place)
            found ^= found >> np.uint64(31)
        return found[inside], np.repeat(np.arange(self.count), self.lengths)[inside]


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")


def _distinct(hashes: Hashes, texts: NDArray[np.intp]) -> tuple[Hashes, NDArray[np.intp]]:
    """Each run once per text, ordered by text and hash."""
    order = np.lexsort((hashes, texts))
    hashes, texts = hashes[order], texts[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (texts[1:] != texts[:-1])
    return hashes[new], texts[new]


def _template(hashes: Hashes, count: int) -> Hashes:
    """The runs that stand in so many of `count` texts that they tell nothing about one; sorted."""
    found, often = np.unique(hashes, return_counts=True)
    limit = min(TEMPLATE, max(count // 2, 1))
    template: Hashes = found[often > limit]
    return template


def _covered(test: _Texts, train: _Texts, n: int) -> NDArray[np.float64]:
    """The share of each item's own runs that stand in the training texts; 0 for a text shorter than a run."""
    hashes, texts = test.grams(n)
    known, _ = _distinct(*train.grams(n))
    own = ~np.isin(hashes, _template(known, train.count))
    hits = np.bincount(texts[own], weights=np.isin(hashes[own], known), minlength=test.count)
    share: NDArray[np.float64] = hits / np.maximum(np.bincount(texts[own], minlength=test.count), 1)
    return share


def _near(test: _Texts, train: _Texts, n: int) -> Flags:
    """Which items have a near duplicate: similar as a whole, and without what is the template's."""
    of_test, of_train = _distinct(*test.grams(n)), _distinct(*train.grams(n))
    template = _template(of_train[0], train.count)
    own_test, own_train = _Sets(*of_test, template), _Sets(*of_train, template)
    first, second = own_test.signatures(), own_train.signatures()
    pairs = candidates(first, second)
    alike = similarity(first[:, pairs[:, 0]], second[:, pairs[:, 1]]) >= NEAR - 4 * standard_error(NEAR)
    all_test, all_train = _Sets(*of_test), _Sets(*of_train)
    found = np.zeros(test.count, dtype=bool)
    for one, other in pairs[alike]:
        item, example = own_test.texts[one], own_train.texts[other]
        found[item] = found[item] or (
            _jaccard(own_test.members(item), own_train.members(example)) >= NEAR
            and _jaccard(all_test.members(item), all_train.members(example)) >= NEAR
        )
    return found


class _Sets:
    """The runs of each text that has any left once those of the template are taken away."""

    def __init__(self, hashes: Hashes, texts: NDArray[np.intp], template: Hashes | None = None) -> None:
        keep = np.ones(len(hashes), bool) if template is None else ~np.isin(hashes, template)
        self.hashes = hashes[keep]
        self.texts, self.starts = np.unique(texts[keep], return_index=True)
        self._ends = np.append(self.starts[1:], len(self.hashes))
        self._place = {int(text): place for place, text in enumerate(self.texts)}

    def signatures(self) -> Hashes:
        return signatures(self.hashes, self.starts, K)

    def members(self, text: int) -> Hashes:
        place = self._place[int(text)]
        return self.hashes[self.starts[place] : self._ends[place]]


def _jaccard(first: Hashes, second: Hashes) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)
