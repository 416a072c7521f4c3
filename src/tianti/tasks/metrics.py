"""The metrics of our own tasks: how per-sample values become one number.

| name              | value of a sample                                        | over a run                           |
|-------------------|----------------------------------------------------------|--------------------------------------|
| `acc`             | 1 if the most probable choice is right, else 0            | mean                                 |
| `acc_norm`        | the same with log-probability / characters of the choice | mean                                 |
| `acc_bytes`       | the same with log-probability / UTF-8 bytes of the choice| mean                                 |
| `f1` (labels)     | [right label, predicted label]                           | macro F1 over the labels that occur  |
| `exact_match`     | 1 if the normalised answer equals a right one, else 0    | mean                                 |
| `f1` (answers)    | overlap of words with the nearest right answer           | mean                                 |
| `majority_vote`   | 1 if what most of its repeats answer is right, else 0    | mean                                 |
| `pass@k`          | chance that one of k repeats is right, for k of `PASS_AT`| mean                                 |
| `word_perplexity` | [log-probability, words]                                 | exp(−Σ log-probability / Σ words)    |
| `byte_perplexity` | [log-probability, bytes]                                 | exp(−Σ log-probability / Σ bytes)    |
| `bits_per_byte`   | [log-probability, bytes]                                 | −Σ log-probability / Σ bytes / ln 2  |
| `brier`           | Σ over the choices of (probability − 1 if right else 0)² | mean                                 |
| `log_loss`        | −ln of the probability of the right choice               | mean                                 |
| `ece`             | [probability of the chosen one, 1 if it is right else 0] | expected calibration error           |
| `ece_excess`      | the same                                                 | that less what calibration would show|

Those of entities, relations and pairs are in `structure_metrics.py`, those of written texts in
`translation_metrics.py`, `summary_metrics.py`, `dialogue_metrics.py`, `constraint_metrics.py`, `code_metrics.py` and
`augmentation_metrics.py`, those of robustness, order of options and groups in `aspect_metrics.py`.

Where a sample is answered several times (`repeats`), `exact_match` and `f1` are means over its answers first.
The probabilities of `brier`, `log_loss` and `ece` are the softmax over the choices of the log-probabilities that `acc`
compares (those of a head as they are); `brier` is lm-evaluation-harness's `brier_score`.
Log-probabilities are in nats. The accuracies and perplexities are those of lm-evaluation-harness; the normal form of
answers is SQuAD's (Rajpurkar et al. 2016) for English and MLQA's (Lewis et al. 2020) for languages without spaces.
"""

from __future__ import annotations

import math
import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tianti.tasks.aspect_metrics import ASPECT_METRICS
from tianti.tasks.augmentation_metrics import AUGMENTATION_METRICS
from tianti.tasks.code_metrics import PASS_COUNTS, PROGRAM_PASS_AT, VALID_PROGRAMS
from tianti.tasks.constraint_metrics import CONSTRAINT_METRICS
from tianti.tasks.dialogue_metrics import CANDIDATE_ACC, DIALOGUE_METRICS
from tianti.tasks.metric_rule import Aspect, MetricRule, mean
from tianti.tasks.structure_metrics import STRUCTURE_METRICS
from tianti.tasks.summary_metrics import ROUGE
from tianti.tasks.translation_metrics import TRANSLATION_METRICS

if TYPE_CHECKING:
    from tianti.stats.draws import Draws


def macro_f1(values: Sequence[Sequence[int]]) -> float:
    """Unweighted mean of the labels' F1 = 2·TP / (2·TP + FP + FN), from (right, predicted) pairs.

    The labels are those that occur on either side, as scikit-learn counts by default.
    """
    pairs = np.asarray(values, dtype=np.int64).reshape(-1, 2)
    labels, codes = np.unique(pairs, return_inverse=True)
    names = labels >= 0  # a negative label stands for no answer: wrong, and no label of its own
    gold, predicted = codes.reshape(-1, 2).T
    hits = np.bincount(gold[gold == predicted], minlength=len(labels))
    total = np.bincount(gold, minlength=len(labels)) + np.bincount(predicted, minlength=len(labels))
    return float(np.mean((2 * hits / total)[names]))


def macro_f1_over(values: Sequence[Sequence[int]], draws: Draws) -> NDArray[np.float64]:
    """`macro_f1` of each draw."""
    from tianti.stats.draws import row_means

    pairs = np.asarray(values, dtype=np.int64).reshape(-1, 2)
    labels, codes = np.unique(pairs, return_inverse=True)
    gold, predicted = codes.reshape(-1, 2)[draws.items].T
    kinds = len(labels)
    right = np.where(gold == predicted, gold, kinds)
    hits = draws.counts(right, kinds + 1)[:, :kinds]
    total = draws.counts(gold, kinds) + draws.counts(predicted, kinds)
    return row_means(2 * hits / np.maximum(total, 1), (total > 0) & (labels >= 0))


def weighted_perplexity(values: Sequence[Sequence[float]]) -> float:
    """exp(−Σ log-probability / Σ weight) over (log-probability, weight) pairs; infinity beyond a float."""
    try:
        return math.exp(-_weighted_mean(values))
    except OverflowError:
        return math.inf


def bits_per_byte(values: Sequence[Sequence[float]]) -> float:
    """−Σ log-probability / Σ bytes / ln 2 over (log-probability, bytes) pairs."""
    return -_weighted_mean(values) / math.log(2)


def _weighted_mean(values: Sequence[Sequence[float]]) -> float:
    return math.fsum(value for value, _ in values) / math.fsum(weight for _, weight in values)


def count_words(text: str) -> int:
    """Pieces between whitespace, counted as lm-evaluation-harness does: an edge of whitespace adds an empty one."""
    return len(re.split(r"\s+", text))


def count_bytes(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8"))


UNSPACED_LANGUAGES = frozenset({"zh", "ja"})
"""Languages that write no spaces between words: answers are compared character by character."""

# Han characters (with the first extension and compatibility forms) and the two Japanese syllabaries.
LONE_CHARACTER = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")


def answer_tokens(text: str, language: str) -> list[str]:
    """The words of an answer in its normal form: lower case, no punctuation, no English articles.

    In languages without spaces each character is a word, and a run of Latin letters or digits is one.
    """
    kept = text.lower().translate(_punctuation(english=language == "en"))
    if language == "en":
        kept = _ENGLISH_ARTICLES.sub(" ", kept)
    if language in UNSPACED_LANGUAGES:
        kept = LONE_CHARACTER.sub(r" \1 ", kept)
    return kept.split()


def exact_match(prediction: str, answers: Sequence[str], language: str) -> float:
    """1.0 if the prediction's normal form equals that of any right answer, else 0.0."""
    words = answer_tokens(prediction, language)
    return float(any(words == answer_tokens(answer, language) for answer in answers))


def overlap_f1(prediction: str, answers: Sequence[str], language: str) -> float:
    """The best F1 of shared words with any right answer; where one side has no words, 1.0 if both have none."""
    words = answer_tokens(prediction, language)
    return max(_f1(words, answer_tokens(answer, language)) for answer in answers)


def majority(predictions: Sequence[str], language: str) -> str:
    """The answer given most often, in normal form; of several such the one that was given first.

    Its metric is the self-consistency of Wang et al. 2023, "Self-Consistency Improves Chain of Thought Reasoning".
    """
    forms = [tuple(answer_tokens(prediction, language)) for prediction in predictions]
    return predictions[forms.index(Counter(forms).most_common(1)[0][0])]


def pass_at(k: int, answers: int, right: int) -> float:
    """The chance that of k of the answers, drawn without putting back, one at least is right.

    The unbiased estimate 1 − C(n−c, k) / C(n, k) of Chen et al. 2021, "Evaluating Large Language Models Trained on
    Code", with n answers of which c are right.
    """
    return 1 - math.comb(answers - right, k) / math.comb(answers, k)


def _f1(left: list[str], right: list[str]) -> float:
    if not left or not right:
        return float(left == right)
    shared = sum((Counter(left) & Counter(right)).values())
    return 2 * shared / (len(left) + len(right))


@cache
def _punctuation(english: bool) -> dict[int, None]:
    """SQuAD drops ASCII's punctuation and signs; MLQA also drops every character that Unicode calls punctuation."""
    dropped = dict.fromkeys(map(ord, string.punctuation))
    if not english:
        every = range(sys.maxunicode + 1)
        dropped |= dict.fromkeys(code for code in every if unicodedata.category(chr(code)).startswith("P"))
    return dropped


ACC = MetricRule("acc", mean, "mean", "share of samples whose most probable choice is right")
ACC_NORM = MetricRule("acc_norm", mean, "mean", "accuracy by log-probability per character of the choice")
ACC_BYTES = MetricRule("acc_bytes", mean, "mean", "accuracy by log-probability per byte of the choice")
LABEL_F1 = MetricRule(
    "f1",
    macro_f1,
    "macro_f1",
    "mean over the labels of their F1",
    scale="ratio",
    over_draws=macro_f1_over,
)
EXACT_MATCH = MetricRule(
    "exact_match", mean, "mean", "share of answers that equal a right one in normal form"
)
ANSWER_F1 = MetricRule("f1", mean, "mean", "overlap of words with the nearest right answer", scale="mean")
MAJORITY_VOTE = MetricRule(
    "majority_vote", mean, "mean", "share of samples where what most repeats answer is right"
)
PASS_AT = {
    k: MetricRule(
        f"pass@{k}", mean, "mean", f"chance that one of {k} repeats equals a right answer", scale="mean"
    )
    for k in PASS_COUNTS
}
WORD_PERPLEXITY = MetricRule(
    "word_perplexity", weighted_perplexity, "weighted_perplexity", "perplexity per word", False, "ratio"
)
BYTE_PERPLEXITY = MetricRule(
    "byte_perplexity", weighted_perplexity, "weighted_perplexity", "perplexity per byte", False, "ratio"
)
BITS_PER_BYTE = MetricRule(
    "bits_per_byte", bits_per_byte, "bits_per_byte", "bits that the model needs per byte", False, "ratio"
)
TEXT_METRICS = (
    *TRANSLATION_METRICS,
    *ROUGE,
    *DIALOGUE_METRICS,
    *CONSTRAINT_METRICS,
    VALID_PROGRAMS,
    *AUGMENTATION_METRICS,
)
METRICS: dict[str, tuple[MetricRule, ...]] = {
    "acc": (ACC, CANDIDATE_ACC),
    "acc_norm": (ACC_NORM,),
    "acc_bytes": (ACC_BYTES,),
    "f1": (LABEL_F1, ANSWER_F1),
    "exact_match": (EXACT_MATCH,),
    "majority_vote": (MAJORITY_VOTE,),
    **{rule.name: (rule, PROGRAM_PASS_AT[k]) for k, rule in PASS_AT.items()},
    "word_perplexity": (WORD_PERPLEXITY,),
    "byte_perplexity": (BYTE_PERPLEXITY,),
    "bits_per_byte": (BITS_PER_BYTE,),
    **{rule.name: (rule,) for rule in (*STRUCTURE_METRICS, *TEXT_METRICS, *ASPECT_METRICS)},
}
"""All metrics by name; which of two with the same name is meant depends on the kind of task."""


def aspect_of(metric: str) -> Aspect:
    """What the metric of this name, ours or lm-evaluation-harness's, says of answers besides how good they are."""
    if metric == "brier_score":
        return "calibration"
    return METRICS[metric][0].aspect if metric in METRICS else ""


def is_signed(metric: str) -> bool:
    """Whether 0 is the best value of the metric of this name, so that neither higher nor lower is better."""
    return metric in METRICS and METRICS[metric][0].signed
