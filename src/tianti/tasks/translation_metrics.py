"""The metrics of translations, computed by sacreBLEU (Post 2018, "A Call for Clarity in Reporting BLEU Scores").

| name            | value of a sample                                             | over a run                        |
|-----------------|---------------------------------------------------------------|-----------------------------------|
| `bleu`          | [length, reference length, matches of 1–4, totals of 1–4]     | corpus BLEU of the sums, 0–100    |
| `chrf`          | [n-grams of answer, of reference, shared] for 1–6 characters  | corpus chrF2 of the sums, 0–100   |
| `chrf++`        | the same, then for 1–2 words                                  | corpus chrF2++ of the sums, 0–100 |
| `sentence_chrf` | chrF2 of the sentence alone / 100                             | mean                              |

What is stored of a sample is what its n-grams add to the corpus, so the corpus score and its interval come from the
answers alone. BLEU: Papineni et al. 2002; chrF: Popović 2015, chrF++: Popović 2017.
sacreBLEU is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from tianti.tasks.metric_rule import MetricRule, mean

if TYPE_CHECKING:
    from sacrebleu.metrics import bleu, chrf

    from tianti.stats.draws import Draws

BLEU_ORDER = 4
_WORD_ORDER = {"chrf": 0, "chrf++": 2}
_TOKENIZERS = {"zh": "zh", "ja": "char"}
"""Characters for Japanese, too: its own tokenizer needs a dictionary of another package."""


def bleu_tokenizer(language: str) -> str:
    """The name of sacreBLEU's tokenizer for text in this language: 13a, that of the WMT, where words stand apart."""
    return _TOKENIZERS.get(language, "13a")


def bleu_statistics(answer: str, references: Sequence[str], language: str) -> list[int]:
    """What one answer adds to the corpus: its length, that of the nearest reference, matches and totals by order."""
    found = _bleu(bleu_tokenizer(language)).sentence_score(answer, list(references))
    return [found.sys_len, found.ref_len, *found.counts, *found.totals]


def corpus_bleu(values: Sequence[Sequence[int]]) -> float:
    """BLEU in 0–100 from the statistics of its sentences, smoothed exponentially as sacreBLEU does by default."""
    return _bleu_of(_sums(values))


def corpus_bleu_over(values: Sequence[Sequence[int]], draws: Draws) -> list[float]:
    """`corpus_bleu` of each draw."""
    return [_bleu_of(sums) for sums in draws.sums(np.asarray(values, dtype=np.int64)).tolist()]


def chrf_statistics(answer: str, references: Sequence[str], name: str = "chrf") -> list[int]:
    """What one answer adds to the corpus, against the reference with which it scores best."""
    scorer = _chrf(name)
    # sacreBLEU shows the statistics of chrF to its own corpus score only; a test holds the sum against that score.
    (found,) = scorer._extract_corpus_statistics([answer], [[reference] for reference in references])
    return [int(count) for count in found]


def corpus_chrf(values: Sequence[Sequence[int]]) -> float:
    """chrF2 in 0–100 from the statistics of its sentences."""
    return _chrf_of(_sums(values), "chrf")


def corpus_chrf_with_words(values: Sequence[Sequence[int]]) -> float:
    """chrF2++ in 0–100 from the statistics of its sentences."""
    return _chrf_of(_sums(values), "chrf++")


def corpus_chrf_over(values: Sequence[Sequence[int]], draws: Draws, name: str = "chrf") -> list[float]:
    """`corpus_chrf`, or with its name the other, of each draw."""
    return [_chrf_of(sums, name) for sums in draws.sums(np.asarray(values, dtype=np.int64)).tolist()]


def translation_values(answer: str, references: Sequence[str], language: str) -> dict[str, list[int] | float]:
    """All values of one translation into `language`."""
    characters = chrf_statistics(answer, references)
    return {
        "bleu": bleu_statistics(answer, references, language),
        "chrf": characters,
        "chrf++": chrf_statistics(answer, references, "chrf++"),
        "sentence_chrf": corpus_chrf([characters]) / 100,
    }


def signatures(language: str) -> dict[str, str]:
    """sacreBLEU's signature of each metric, without the number of references, which may differ from row to row."""
    release = version("sacrebleu")
    return {
        "bleu": f"case:mixed|eff:no|tok:{bleu_tokenizer(language)}|smooth:exp|version:{release}",
        **{
            name: f"case:mixed|eff:yes|nc:6|nw:{words}|space:no|version:{release}"
            for name, words in (*_WORD_ORDER.items(), ("sentence_chrf", 0))
        },
    }


def _bleu_of(sums: list[int]) -> float:
    from sacrebleu.metrics.bleu import BLEU

    matches, totals = sums[2 : 2 + BLEU_ORDER], sums[2 + BLEU_ORDER :]
    return float(BLEU.compute_bleu(matches, totals, sums[0], sums[1], smooth_method="exp").score)


def _chrf_of(sums: list[int], name: str) -> float:
    return float(_chrf(name)._compute_score_from_stats(sums).score)


def _sums(values: Sequence[Sequence[int]]) -> list[int]:
    return [int(total) for total in np.asarray(values, dtype=np.int64).sum(axis=0)]


@cache
def _bleu(tokenizer: str) -> bleu.BLEU:
    from sacrebleu.metrics.bleu import BLEU

    # The order is effective for single sentences only; their scores are not used, and counts do not depend on it.
    return BLEU(tokenize=tokenizer, effective_order=True)


@cache
def _chrf(name: str) -> chrf.CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=_WORD_ORDER[name])


BLEU = MetricRule(
    "bleu", corpus_bleu, "bleu", "corpus BLEU, 0–100", scale="ratio", over_draws=corpus_bleu_over
)
CHRF = MetricRule(
    "chrf",
    corpus_chrf,
    "chrf",
    "corpus chrF2 of characters, 0–100",
    scale="ratio",
    over_draws=corpus_chrf_over,
)
CHRF_WITH_WORDS = MetricRule(
    "chrf++",
    corpus_chrf_with_words,
    "chrf++",
    "corpus chrF2++ of characters and words, 0–100",
    scale="ratio",
    over_draws=partial(corpus_chrf_over, name="chrf++"),
)
SENTENCE_CHRF = MetricRule(
    "sentence_chrf", mean, "mean", "chrF2 of each sentence, its mean in 0–1", scale="mean"
)
TRANSLATION_METRICS = (BLEU, CHRF, CHRF_WITH_WORDS, SENTENCE_CHRF)
