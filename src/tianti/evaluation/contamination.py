"""What of a trial's test items stands in its own training data, and by how much that lifts its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tianti.adapt import Adaptation
from tianti.adapt.learned import examples_learned
from tianti.evaluation.answer import Answer
from tianti.stats.gap import Gap, Group, gap
from tianti.stats.intervals import mean_over_repeats
from tianti.stats.minhash import K
from tianti.tasks.overlap import COVERED, NEAR, Overlap, find_overlap
from tianti.tasks.task import Metric, Task

BETWEEN_ANSWERS = " / "
"""Stands between the right answers of a sample in `Answer.target`."""


def contamination_facts(
    adaptation: Adaptation, task: Task, seed: int, answers: Sequence[Answer]
) -> dict[str, Any]:
    """The facts of a finished trial under the key `contamination`; empty where nothing was trained.

    Shares and scores are in 0–1. `inflation` is absent where no item overlaps, where all do, or where the metric
    is no mean over items.
    """
    examples = examples_learned(adaptation, task, seed)
    if not examples or not answers:
        return {}
    asked = {answer.sample_id: answer for answer in answers}
    overlap = find_overlap(
        [texts_of(answer.prompt, answer.target) for answer in asked.values()],
        [f"{example.context} {example.continuation}" for example in examples],
        task.info.language,
    )
    names = np.array(list(asked))
    facts = _counts(overlap, names)
    measured = inflation(task.metrics[0], answers, frozenset(names[overlap.overlapping].tolist()))
    return {"contamination": facts | ({"inflation": measured} if measured else {})}


def inflation(
    metric: Metric, answers: Sequence[Answer], overlapping: frozenset[str]
) -> dict[str, Any] | None:
    """The score on all items minus that on the clean ones, with its lower bound; None where it cannot be told."""
    scored = [answer for answer in answers if answer.state == "ok" and metric.name in answer.values]
    if metric.scale == "ratio" or not scored:
        return None
    values, items = mean_over_repeats(
        [float(answer.values[metric.name]) for answer in scored], [answer.sample_id for answer in scored]
    )
    keys = {answer.sample_id: answer.cluster or answer.sample_id for answer in scored}
    clusters = [keys[str(item)] for item in items] if any(answer.cluster for answer in scored) else None
    seen = np.array([item in overlapping for item in items])
    found = _gap_of_seen(values if metric.higher_is_better else -values, clusters, seen)
    if found is None:
        return None
    return {
        "metric": metric.name,
        "all": float(values.mean()),
        "clean": float(values[~seen].mean()),
        **gap_facts(found),
    }


def gap_facts(found: Gap) -> dict[str, Any]:
    """A gap as JSON."""
    return {
        **asdict(found.interval),
        "least": found.least,
        "p": found.p,
        "p_holm": found.p_holm,
        "family": found.family,
        "n_first": found.n_first,
        "n_second": found.n_second,
    }


def _gap_of_seen(
    values: NDArray[np.float64], clusters: Sequence[str] | None, seen: NDArray[np.bool_]
) -> Gap | None:
    """all − clean = (share of seen items) · (mean of the seen − mean of the clean)."""

    def group(chosen: NDArray[np.bool_]) -> Group:
        keys = None if clusters is None else [key for key, take in zip(clusters, chosen, strict=True) if take]
        return Group(values[chosen], keys)

    return gap(group(seen), group(~seen), weight=float(seen.mean()))


def texts_of(prompt: str, target: str) -> list[str]:
    """A sample's question and answer as one text, once for each right answer that its target holds."""
    targets = dict.fromkeys([*target.split(BETWEEN_ANSWERS), target])
    return [f"{prompt} {target}" for target in targets]


def _counts(overlap: Overlap, names: NDArray[np.str_]) -> dict[str, Any]:
    sizes = overlap.sizes
    return {
        "items": len(names),
        "training_examples": overlap.examples,
        "exact_duplicates": int(overlap.exact.sum()),
        "near_duplicates": int(overlap.near.sum()),
        "mostly_covered": int((overlap.overlapping & ~overlap.exact & ~overlap.near).sum()),
        "overlapping": int(overlap.overlapping.sum()),
        "ngrams_covered": float(overlap.covered.mean()),
        "overlapping_items": names[overlap.overlapping].tolist(),
        "method": (
            f"same text; Jaccard ≥ {NEAR} of runs of {sizes.shingle} {sizes.unit} (MinHash, k = {K}, then exact); "
            f"≥ {COVERED:.0%} of runs of {sizes.ngram} {sizes.unit}"
        ),
        "ngram": sizes.ngram,
        "k": K,
        "jaccard": NEAR,
    }
