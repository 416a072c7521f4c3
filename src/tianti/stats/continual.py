"""What a model that learns one task after another keeps, gains and forgets, with intervals.

R[t][k] is the score on task k after stage t. The same items are asked after every stage, so all but one of these
numbers are means over items of a difference within the item: they are paired over stages, and their intervals are
those of paired differences.

| function            | definition                                                   | source        |
|---------------------|--------------------------------------------------------------|---------------|
| `average_accuracy`  | mean over all tasks of R[T][k]                               | GEM           |
| `learning_accuracy` | mean over all tasks of R[s_k][k]                             | MER           |
| `backward_transfer` | mean over the earlier tasks of R[T][k] − R[s_k][k]           | GEM           |
| `forward_transfer`  | mean over the later tasks of R[s_k − 1][k] − b_k             | GEM           |
| `forgetting`        | mean over the earlier tasks of R[s_k][k] − R[T][k] (`first`) | −BWT          |
|                     | … of max over t < T of R[t][k] − R[T][k] (`best`)            | Chaudhry 2018 |

GEM: Lopez-Paz and Ranzato 2017, arXiv:1706.08840; MER: Riemer et al. 2019, arXiv:1810.11910; Chaudhry et al. 2018,
arXiv:1801.10112. Avalanche calls `first` forgetting, Mammoth `best`.

T is the last stage, s_k the stage that taught task k, b_k the score before any training; an earlier task is one that
was taught before the last stage, a later task one that was taught after the first.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.intervals import Interval
from tianti.stats.macro import TaskValues, macro_interval, weighted_sum
from tianti.stats.moments import Array, cluster_codes, pooled_freedom, quantile, steady_moments
from tianti.stats.paired import IMAGINED_PAIRS


@dataclass(frozen=True)
class StreamTask:
    """One task's item values in [0, 1] after each stage: `values[t, i]`, shape (stages, items), is of item i after
    stage t, the first stage being 0.

    `taught` is the stage that taught this task. `before` holds the items' values before any training (zero-shot, or
    of an untrained model), needed for forward transfer alone.
    """

    values: Array
    taught: int
    before: Array | None = None
    clusters: Sequence[Hashable] | None = None


def average_accuracy(stream: Sequence[StreamTask], *, level: float = 0.95) -> Interval:
    """The mean over all tasks of the score after the last stage.

    Raises:
        InputError: the stream is not rectangular, or a value is missing.
    """
    checked(stream)
    return _mean_of([(task, task.values[-1]) for task in stream], level)


def learning_accuracy(stream: Sequence[StreamTask], *, level: float = 0.95) -> Interval:
    """The mean over all tasks of the score just after the task was taught: how well the model still learns.

    Raises:
        InputError: the stream is not rectangular, or a value is missing.
    """
    checked(stream)
    return _mean_of([(task, task.values[task.taught]) for task in stream], level)


def backward_transfer(stream: Sequence[StreamTask], *, level: float = 0.95) -> Interval | None:
    """What later stages did to tasks taught earlier: last score minus the score just after teaching. Negative is
    forgetting. None where no task was taught before the last stage.

    Raises:
        InputError: the stream is not rectangular, or a value is missing.
    """
    checked(stream)
    return _paired([(task, task.values[-1] - task.values[task.taught]) for task in _earlier(stream)], level)


def forward_transfer(stream: Sequence[StreamTask], *, level: float = 0.95) -> Interval | None:
    """What earlier stages gave to a task before it was taught: the score one stage before, minus that before any
    training. None where all tasks were taught at the first stage.

    Raises:
        InputError: the stream is not rectangular, a value is missing, or a later task has no `before`.
    """
    checked(stream)
    later = [(index, task) for index, task in enumerate(stream) if task.taught > 0]
    pairs = []
    for index, task in later:
        if task.before is None:
            raise InputError(
                f"task {index} has no values from before training, which forward transfer is measured against",
                remedy="give `before`: the zero-shot values of the same items",
            )
        pairs.append((task, task.values[task.taught - 1] - task.before))
    return _paired(pairs, level)


def forgetting(
    stream: Sequence[StreamTask],
    definition: Literal["first", "best"] = "first",
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = 10_000,
) -> Interval | None:
    """How much was lost of the tasks taught before the last stage; None where there is none.

    `first` compares with the score just after teaching. It is −BWT, a mean of paired differences, and its interval is
    that of one.

    `best` compares with the best score of any stage before the last. The best of several noisy scores is too good:
    stages that are equal in truth show forgetting where there is none, of the order of one standard error of a task,
    however many tasks are averaged. The estimate is left as defined; the interval reaches down far enough to cover
    the truth (see `_best_bounds`), so it is wider, and not symmetric. Prefer `first` to compare two methods.

    Args:
        seed: of the bootstrap behind `best`; the same seed gives the same interval.

    Raises:
        InputError: the stream is not rectangular, a value is missing, or there is no such definition.
    """
    checked(stream)
    if definition not in ("first", "best"):
        raise InputError(f"there is no forgetting {definition!r}", remedy="give 'first' or 'best'")
    earlier = _earlier(stream)
    if not earlier:
        return None
    if definition == "first":
        return _paired([(task, task.values[task.taught] - task.values[-1]) for task in earlier], level)
    best = [int(task.values[:-1].sum(axis=1).argmax()) for task in earlier]
    against = _paired(
        [(task, task.values[stage] - task.values[-1]) for task, stage in zip(earlier, best, strict=True)],
        level,
    )
    if against is None or against.low is None or against.high is None:
        raise AssertionError("a mean of steady differences has an interval")
    low, high = _best_bounds([_Stages.of(task) for task in earlier], level, seed, draws)
    return replace(
        against,
        low=max(min(against.low, against.estimate - low), -1.0),
        high=min(max(against.high, against.estimate + high), 1.0),
        method=f"{against.method}; best stage by Gaussian bootstrap",
    )


def checked(stream: Sequence[StreamTask]) -> None:
    """Refuse a stream that these numbers cannot be computed from.

    Raises:
        InputError: says which task, and what is wrong with it.
    """
    if not stream:
        raise InputError("a stream without tasks", remedy="give at least one StreamTask")
    stages = np.shape(stream[0].values)[0] if np.ndim(stream[0].values) == 2 else 0
    for index, task in enumerate(stream):
        shape = np.shape(task.values)
        if len(shape) != 2 or not shape[0] or not shape[1]:
            raise InputError(f"task {index}: values of shape {shape}, expected (stages, items)")
        if shape[0] != stages:
            raise InputError(f"task {index}: {shape[0]} stages, the first task has {stages}")
        if not 0 <= task.taught < stages:
            raise InputError(f"task {index}: taught at stage {task.taught}, the stages are 0 to {stages - 1}")
        if task.before is not None and np.shape(task.before) != shape[1:]:
            raise InputError(f"task {index}: {np.size(task.before)} values before training, {shape[1]} items")
        if (
            not np.isfinite(task.values).all()
            or not np.isfinite(0.0 if task.before is None else task.before).all()
        ):
            raise InputError(
                f"task {index}: a value is missing or not finite",
                remedy="keep the items that were answered after every stage",
            )


def _earlier(stream: Sequence[StreamTask]) -> list[StreamTask]:
    return [task for task in stream if task.taught < len(task.values) - 1]


def _mean_of(tasks: Sequence[tuple[StreamTask, Array]], level: float) -> Interval:
    found = macro_interval([TaskValues(values, None, task.clusters) for task, values in tasks], level=level)
    if found is None:
        raise AssertionError("a checked stream has items")
    return found


def _paired(tasks: Sequence[tuple[StreamTask, Array]], level: float) -> Interval | None:
    """The mean over tasks of mean differences, with two imagined pairs spread over the tasks as in
    `paired_difference`."""
    if not tasks:
        return None
    found = [
        steady_moments(d, task.clusters, added=IMAGINED_PAIRS / len(tasks), added_values=(-1.0, 1.0))
        for task, d in tasks
    ]
    clustered = any(task.clusters is not None for task, _ in tasks)
    return weighted_sum(
        found,
        [float(d.mean()) for _, d in tasks],
        [1 / len(tasks)] * len(tasks),
        reach=(-1.0, 1.0),
        level=level,
        method="paired over stages, CR1·t" if clustered else "paired over stages, t",
    )


@dataclass(frozen=True)
class _Stages:
    """The scores of one task after each stage, shape (stages,), and their covariance over new items: CR1, with as
    many degrees of freedom as there are items, or clusters, less one."""

    scores: Array
    covariance: Array
    freedom: int

    @classmethod
    def of(cls, task: StreamTask) -> _Stages:
        scores, n = task.values.mean(axis=1), task.values.shape[1]
        codes, count = cluster_codes(range(n) if task.clusters is None else task.clusters, n)
        sums = np.zeros((count, len(scores)))
        np.add.at(sums, codes, (task.values - scores[:, None]).T)
        return cls(scores, count / max(count - 1, 1) * sums.T @ sums / n**2, max(count - 1, 1))

    def contenders(self, n: int) -> Array:
        """Which earlier stages may be the best one: not more than √ln n standard errors below the best seen."""
        best = int(self.scores[:-1].argmax())
        diagonal = np.diag(self.covariance)
        error = np.sqrt(np.maximum(diagonal[:-1] + diagonal[best] - 2 * self.covariance[:-1, best], 0.0))
        near: Array = self.scores[best] - self.scores[:-1] <= math.sqrt(math.log(max(n, 2))) * error
        return near


def _best_bounds(tasks: Sequence[_Stages], level: float, seed: int, draws: int) -> tuple[float, float]:
    """How far the mean over tasks of max_t R̂[t] − R̂[T] may lie above, and below, the truth.

    Above: max_t δ̂_t − max_t δ_t ≤ max_t (δ̂_t − δ_t), whose distribution is that of the largest of correlated normal
    variables; it is drawn from their estimated covariance, with Student's spread. Stages that are far below the best
    are left out (the moment selection of Andrews and Soares 2010, with their √ln n), for they can hardly be the best.
    Below: the truth is the difference of one fixed stage, so a plain t bound holds; the widest of the stages is taken.
    """
    generator = np.random.default_rng(seed)
    above, variances = np.zeros(draws), []
    for task in tasks:
        stages = len(task.scores)
        near = np.append(task.contenders(task.freedom + 1), True)
        covariance = task.covariance[np.ix_(near, near)]
        ridge = 1e-12 * max(float(np.trace(covariance)), 1e-300)  # equal stages make it singular
        root = np.linalg.cholesky(covariance + ridge * np.eye(len(covariance)))
        normal = generator.standard_normal((draws, stages))[:, : len(root)] @ root.T
        spread = np.sqrt(task.freedom / generator.chisquare(task.freedom, draws))
        above += spread * (normal[:, :-1].max(axis=1) - normal[:, -1]) / len(tasks)
        diagonal = np.diag(covariance)
        variances.append(
            float((diagonal[:-1] + diagonal[-1] - 2 * covariance[:-1, -1]).max()) / len(tasks) ** 2
        )
    freedom = pooled_freedom(variances, [task.freedom for task in tasks])
    below = quantile(level, freedom) * math.sqrt(max(sum(variances), 0.0))
    return float(np.quantile(above, (1 + level) / 2)), below
