"""Which solved examples stand before a question.

| selection   | examples                                                                    | order                 |
|-------------|-----------------------------------------------------------------------------|-----------------------|
| `random`    | drawn anew for each sample, from (seed, task, sample)                        | as drawn              |
| `first`     | the first k of the split                                                     | of the split          |
| `balanced`  | as many of each label, give or take one, drawn as for `random`               | as drawn              |
| `similar`   | those whose text has most in common with the sample's, by BM25               | the most similar last |
| `embedding` | those nearest to the sample by the cosine of the model's own representations | the nearest last      |

The last example stands nearest to the question. None is the sample itself or has its text. Equals in similarity are
taken in the order of the split.

BM25 is that of Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", in the form of Lucene (k1 = 1.5,
b = 0.75; bm25s computes it). Its terms are words in lower case; of Chinese and Japanese, single characters and pairs of
neighbours.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from tianti.core.exceptions import IncompatibleError
from tianti.core.seeds import derived_random

if TYPE_CHECKING:
    from tianti.tasks.kinds.kind import Sample
    from tianti.tasks.task import Shots

Selection = Literal["random", "first", "balanced", "similar", "embedding"]
SELECTIONS: tuple[str, ...] = get_args(Selection)
Encode = Callable[[Sequence[str]], Any]
"""Texts → an array (texts, dimensions) of finite numbers."""

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TERM = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+")
_UNSPACED_RUN = re.compile(rf"[{_UNSPACED}]+")


def terms(text: str) -> list[str]:
    """What BM25 counts: words in lower case; of runs without spaces each character and each pair of neighbours."""
    found: list[str] = []
    for run in _TERM.findall(text.lower()):
        if _UNSPACED_RUN.fullmatch(run):
            found += [*run, *(run[start : start + 2] for start in range(len(run) - 1))]
        else:
            found.append(run)
    return found


class ShotPool:
    """The solved examples of one split, of which some are chosen for each sample.

    `task` is the name from which draws are seeded, `shown` the one in errors, `split` that of the pool.
    """

    def __init__(self, pool: Sequence[Sample], task: str, shown: str, split: str) -> None:
        self._pool = list(pool)
        self._task = task
        self._shown = shown
        self._split = split
        self._vectors: tuple[Encode, Any] | None = None

    def choose(self, sample: Sample, shots: Shots) -> list[Sample]:
        """The `shots.k` examples for one sample, in the order in which they are shown.

        Raises:
            IncompatibleError: there are not as many, or the selection needs what the task lacks.
        """
        same = self._texts[sample.text]
        if len(self._pool) - same < shots.k:
            raise IncompatibleError(
                f"{self._shown}: {shots.k} shots asked, split {self._split!r} has {len(self._pool) - same}",
                remedy="ask for fewer shots",
            )
        if shots.selection == "balanced":
            return self._balanced(sample, shots)
        if shots.selection in ("similar", "embedding"):
            by_text = shots.selection == "similar"
            scores = self._overlap(sample.text) if by_text else self._cosine(sample.text, shots.encode)
            order = np.argsort(-scores, kind="stable").tolist()
            nearest = self._others(sample, [self._pool[index] for index in order])[: shots.k]
            return nearest[::-1]
        pool = self._pool
        if shots.selection == "random":
            pool = derived_random(shots.seed, self._task, sample.id).sample(pool, shots.k + same)
        return self._others(sample, pool)[: shots.k]

    def _balanced(self, sample: Sample, shots: Shots) -> list[Sample]:
        if len(self._labels) > 1 or None in self._labels:
            raise IncompatibleError(
                f"{self._shown}: selection=balanced needs one set of labels for all samples, which it does not have",
                remedy="take selection=random, similar or embedding",
            )
        by_label: dict[str, list[Sample]] = defaultdict(list)
        for each in self._others(sample, self._pool):
            by_label[each.target].append(each)
        generator = derived_random(shots.seed, self._task, sample.id, "balanced")
        labels = sorted(by_label)
        generator.shuffle(labels)  # which labels get one more, where k is no multiple of their number
        chosen: list[Sample] = []
        for place, label in enumerate(labels):
            wanted = shots.k // len(labels) + (place < shots.k % len(labels))
            if len(by_label[label]) < wanted:
                raise IncompatibleError(
                    f"{self._shown}: selection=balanced needs {wanted} examples of {label!r}, split {self._split!r} "
                    f"has {len(by_label[label])}",
                    remedy="ask for fewer shots",
                )
            chosen += generator.sample(by_label[label], wanted)
        generator.shuffle(chosen)
        return chosen

    def _overlap(self, text: str) -> Any:
        index, vocabulary = self._index
        known = [term for term in terms(text) if term in vocabulary]
        return index.get_scores(known) if known else np.zeros(len(self._pool))

    def _cosine(self, text: str, encode: Encode | None) -> Any:
        if encode is None:
            raise IncompatibleError(
                f"{self._shown}: selection=embedding needs a model that reads the examples",
                remedy="take selection=similar",
            )
        if self._vectors is None or self._vectors[0] is not encode:
            self._vectors = (encode, _unit(encode([each.text for each in self._pool])))
        return self._vectors[1] @ _unit(encode([text]))[0]

    def _others(self, sample: Sample, pool: Sequence[Sample]) -> list[Sample]:
        return [candidate for candidate in pool if candidate.text != sample.text]

    @cached_property
    def _texts(self) -> Counter[str]:
        return Counter(sample.text for sample in self._pool)

    @cached_property
    def _labels(self) -> set[tuple[str, ...] | None]:
        """The sets of labels that occur: one, where the task has labels of its own."""
        return {each.form.choices if each.form.label is not None else None for each in self._pool}

    @cached_property
    def _index(self) -> tuple[Any, frozenset[str]]:
        import bm25s

        index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        documents = [terms(each.text) for each in self._pool]
        index.index(documents, show_progress=False)
        return index, frozenset(term for document in documents for term in document)


def _unit(vectors: Any) -> Any:
    """Rows of length 1."""
    array = np.asarray(vectors, dtype=np.float64)
    return array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-12)
