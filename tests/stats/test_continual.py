import csv
import gzip
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from real_data_folder import REAL_DATA
from tianti.core.exceptions import InputError
from tianti.stats import (
    StreamTask,
    TaskMatrix,
    TaskPair,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    learning_accuracy,
    paired_difference,
    pairwise_p_values,
)

# Three tasks of four items, taught one after another. Scores by hand:
# R = [[1, .5, 0], [.5, .75, .25], [.75, .25, 1]], before any training [0, .25, .25].
HAND = [
    StreamTask(
        np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=float), 0, np.array([0.0, 0, 0, 0])
    ),
    StreamTask(
        np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]], dtype=float), 1, np.array([1.0, 0, 0, 0])
    ),
    StreamTask(
        np.array([[0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]], dtype=float), 2, np.array([0.0, 0, 0, 1])
    ),
]


def test_values_computed_by_hand():
    assert average_accuracy(HAND).estimate == pytest.approx((0.75 + 0.25 + 1) / 3)
    assert learning_accuracy(HAND).estimate == pytest.approx((1 + 0.75 + 1) / 3)
    assert backward_transfer(HAND).estimate == pytest.approx((-0.25 - 0.5) / 2)
    assert forward_transfer(HAND).estimate == pytest.approx(((0.5 - 0.25) + (0.25 - 0.25)) / 2)
    assert forgetting(HAND).estimate == pytest.approx((0.25 + 0.5) / 2)
    assert forgetting(HAND, "best").estimate == pytest.approx((0.25 + 0.5) / 2)
    # A later stage was better than the one that taught the task: only `best` sees it.
    later = [StreamTask(np.array([[0, 0, 0, 1], [1, 1, 1, 1], [1, 0, 0, 1]], dtype=float), 0)]
    assert forgetting(later).estimate == pytest.approx(-0.25)
    assert forgetting(later, "best").estimate == pytest.approx(0.5)


def test_every_number_says_what_it_rests_on():
    found = forgetting(HAND, level=0.9)
    assert (found.n, found.clusters, found.level) == (8, None, 0.9)
    assert found.method == "paired over stages, t"
    assert found.target == "these tasks, new items of the same kind"
    assert "best stage by Gaussian bootstrap" in forgetting(HAND, "best").method


def test_intervals_are_those_of_the_formulas():
    """Two imagined pairs spread over the tasks, variances of the tasks added, Welch's degrees of freedom."""
    rng = np.random.default_rng(0)
    stream = [
        StreamTask((rng.random((3, n)) < 0.6).astype(float), taught) for taught, n in enumerate((50, 80, 60))
    ]
    variances, freedoms, centres = [], [], []
    for task in stream[:2]:
        d = np.append(task.values[-1] - task.values[task.taught], [])
        n = len(d) + 1  # one imagined item of each of the two tasks: half at −1, half at +1
        centre = d.sum() / n
        variances.append((np.square(d).sum() + 1) / n**2 - centre**2 / n)
        centres.append(centre)
        freedoms.append(len(d) - 1)
    variance = sum(variances) / 4
    freedom = sum(variances) ** 2 / sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    found = backward_transfer(stream)
    assert (found.low, found.high) == pytest.approx((np.mean(centres) - half, np.mean(centres) + half))


def test_nothing_that_is_impossible_is_in_an_interval():
    """Four items say little: what says nothing of ±1 or 0 to 1 says nothing of what is beyond."""
    kept, lost = np.array([[1.0] * 4, [1, 1, 1, 0]]), np.array([[1.0] * 4, [0, 0, 0, 1]])
    for stream in (
        [StreamTask(kept, 0), StreamTask(kept, 1)],
        [StreamTask(lost, 0), StreamTask(lost[::-1], 1)],
    ):
        for of, least in (
            (average_accuracy, 0),
            (learning_accuracy, 0),
            (backward_transfer, -1),
            (forgetting, -1),
            (lambda given: forgetting(given, "best"), -1),
        ):
            found = of(stream)
            assert least <= found.low <= found.estimate <= found.high <= 1


def test_one_task_is_a_paired_difference_of_two_stages():
    rng = np.random.default_rng(1)
    values = (rng.random((2, 300)) < [[0.7], [0.6]]).astype(float)
    clusters = [index // 5 for index in range(300)]
    for keys in (None, clusters):
        expected = paired_difference([TaskPair(values[0], values[1], clusters=keys)]).interval
        found = forgetting([StreamTask(values, 0, clusters=keys)])
        assert (found.estimate, found.low, found.high) == pytest.approx(
            (expected.estimate, expected.low, expected.high)
        )
        assert found.clusters == (None if keys is None else 60)


streams = hnp.arrays(float, (4, 30), elements=st.sampled_from([0.0, 0.5, 1.0]))


@settings(max_examples=50)
@given(streams, streams, st.randoms(use_true_random=False))
def test_what_always_holds(first, second, random):
    stream = [StreamTask(first, 0), StreamTask(second, 2)]
    transfer, lost, worst = (
        backward_transfer(stream),
        forgetting(stream),
        forgetting(stream, "best", draws=500),
    )
    assert transfer.estimate == pytest.approx(-lost.estimate)
    assert (transfer.low, transfer.high) == pytest.approx((-lost.high, -lost.low))
    assert worst.estimate >= lost.estimate - 1e-12
    for found in (transfer, lost, worst):
        assert found.low <= found.estimate <= found.high
        assert found.high > found.low
    order = list(range(30))
    random.shuffle(order)
    shuffled = [StreamTask(first[:, order], 0), StreamTask(second[:, order], 2)]
    for definition in ("first", "best"):
        found, again = (forgetting(s, definition, draws=500) for s in (stream, shuffled))
        assert (found.low, found.high) == pytest.approx((again.low, again.high))


def test_pairing_over_stages_makes_the_interval_narrow():
    rng = np.random.default_rng(2)
    stage = (rng.random(400) < 0.6).astype(float)
    later = stage.copy()
    later[:20] = 0
    paired = backward_transfer([StreamTask(np.stack([stage, later]), 0)])
    shuffled = backward_transfer([StreamTask(np.stack([stage, rng.permutation(later)]), 0)])
    assert shuffled.high - shuffled.low > 3 * (paired.high - paired.low)


def test_clusters_widen_the_best_too():
    rng = np.random.default_rng(3)
    values = np.repeat((rng.random((3, 20)) < 0.6).astype(float), 10, axis=1)
    clusters = [index // 10 for index in range(200)]
    plain, robust = (forgetting([StreamTask(values, 0, clusters=keys)], "best") for keys in (None, clusters))
    assert robust.high - robust.low > 2 * (plain.high - plain.low)
    assert robust.clusters == 20


def test_what_has_no_earlier_or_later_task_is_none():
    last = [StreamTask(np.ones((2, 5)), 1, np.zeros(5))]
    assert backward_transfer(last) is None
    assert forgetting(last) is None
    assert forgetting(last, "best") is None
    assert forward_transfer(last).estimate == 1
    assert forward_transfer([StreamTask(np.ones((2, 5)), 0)]) is None


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ([], "without tasks"),
        ([StreamTask(np.ones(3), 0)], "expected \\(stages, items\\)"),
        ([StreamTask(np.ones((2, 3)), 0), StreamTask(np.ones((3, 3)), 0)], "task 1: 3 stages"),
        ([StreamTask(np.ones((2, 3)), 2)], "taught at stage 2"),
        ([StreamTask(np.ones((2, 3)), 0, np.ones(4))], "4 values before training, 3 items"),
        ([StreamTask(np.full((2, 3), np.nan), 0)], "missing or not finite"),
    ],
)
def test_streams_that_make_no_sense_are_refused(stream, words):
    with pytest.raises(InputError, match=words):
        average_accuracy(stream)


def test_forward_transfer_needs_the_score_before_training():
    with pytest.raises(InputError, match="task 0 has no values from before"):
        forward_transfer([StreamTask(np.ones((2, 3)), 1)])
    with pytest.raises(InputError, match="no forgetting 'max'"):
        forgetting(HAND, "max")  # type: ignore[arg-type]


def _checkpoints() -> dict[str, np.ndarray]:
    """Right or wrong after each of five checkpoints of one training run, by subject: shape (stages, items)."""
    path = REAL_DATA / "mmlu_per_item_results" / "predictions.csv.gz"
    if not path.is_file():
        pytest.skip(f"no real data at {path}")
    found: dict[str, dict[int, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            stage = int(row["checkpoint"].removeprefix("checkpoint-"))
            found[row["subject"]][stage].append((int(row["row"]), float(row["correct"])))
    return {
        subject: np.array([[right for _, right in sorted(stages[stage])] for stage in sorted(stages)])
        for subject, stages in sorted(found.items())
    }


@pytest.mark.real_data
def test_forgetting_between_five_real_checkpoints():
    subjects = _checkpoints()
    pooled = np.concatenate(list(subjects.values()), axis=1)
    assert pooled.shape == (5, 12343)
    # One task, all checkpoints against the first: the loss is plainly there, and pairing is what shows it.
    lost = forgetting([StreamTask(pooled, 0)])
    first, last = pooled[0].mean(), pooled[-1].mean()
    assert lost.estimate == pytest.approx(first - last)
    difference = pooled[0] - pooled[-1]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert (lost.low, lost.high) == pytest.approx(
        (lost.estimate - 1.96 * error, lost.estimate + 1.96 * error), abs=1e-4
    )
    unpaired = np.sqrt(first * (1 - first) / 12343 + last * (1 - last) / 12343)
    assert error < 0.9 * unpaired
    # Over the 55 subjects, each weighted the same, the best checkpoint of each flatters what was lost.
    stream = [StreamTask(values, 0) for values in subjects.values()]
    by_first, by_best = forgetting(stream), forgetting(stream, "best")
    assert by_best.estimate > by_first.estimate
    assert by_best.low < by_first.high
    assert by_best.estimate - by_best.low > by_best.high - by_best.estimate


@pytest.mark.real_data
def test_pairs_of_real_checkpoints_agree_with_statsmodels():
    contingency = pytest.importorskip("statsmodels.stats.contingency_tables")
    for subject, values in _checkpoints().items():
        p = pairwise_p_values([TaskMatrix(values)])
        for one, other in ((0, 4), (1, 3)):
            table = [
                [int(((values[one] == a) & (values[other] == b)).sum()) for b in (1.0, 0.0)]
                for a in (1.0, 0.0)
            ]
            exact = table[0][1] + table[1][0] < 25
            reference = contingency.mcnemar(table, exact=exact, correction=False)
            two_sided = min(1.0, 2 * min(p[one, other], p[other, one]))
            if table[0][1] != table[1][0]:
                assert two_sided == pytest.approx(reference.pvalue, rel=1e-9), subject
