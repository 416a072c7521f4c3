"""ROUGE (Lin 2004): how much of the reference's words a summary shares, by the library rouge-score.

| name     | value of a sample                                                     | over a run |
|----------|-----------------------------------------------------------------------|------------|
| `rouge1` | F1 of shared words, against the best of its references                | mean       |
| `rouge2` | the same of pairs of words                                            | mean       |
| `rougeL` | the same of the longest common subsequence of words                   | mean       |

English words are stemmed (Porter), as in the papers; in other languages they are taken as they stand, and in languages
without spaces each character is a word. The library is imported when it is used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from tianti.tasks.metric_rule import MetricRule, mean

_NAMES = ("rouge1", "rouge2", "rougeL")


def rouge(answer: str, references: Sequence[str], language: str) -> dict[str, float]:
    """The F1 of each kind of ROUGE, in 0–1; of several references the best."""
    found = _scorer(language).score_multi(list(references), answer)
    return {name: float(found[name].fmeasure) for name in _NAMES}


def words(text: str, language: str) -> list[str]:
    """Lower-case words of any script; single characters where a language writes no spaces."""
    from tianti.tasks.metrics import (
        LONE_CHARACTER,
        UNSPACED_LANGUAGES,
    )  # which lists the metrics of this file

    text = text.lower()
    return re.findall(r"\w+", LONE_CHARACTER.sub(r" \1 ", text) if language in UNSPACED_LANGUAGES else text)


class _Words:
    """`words` as the library wants it."""

    def __init__(self, language: str) -> None:
        self._language = language

    def tokenize(self, text: str) -> list[str]:
        return words(text, self._language)


@cache
def _scorer(language: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    if language == "en":
        return RougeScorer(list(_NAMES), use_stemmer=True)
    return RougeScorer(list(_NAMES), tokenizer=_Words(language))


ROUGE = tuple(
    MetricRule(name, mean, "mean", f"F1 of shared {what}, mean over samples", scale="mean")
    for name, what in zip(_NAMES, ("words", "pairs of words", "subsequences of words"), strict=True)
)
