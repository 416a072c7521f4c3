"""Old and new on the same samples, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stub_task import StubTask
from tianti.deployment.judge import Change, Rules, compare_runs, verdict
from tianti.evaluation.answer import Answer
from tianti.stats import TaskPair, paired_difference
from tianti.store import Store
from tianti.tasks.metrics import macro_f1
from tianti.tasks.task import Metric

NOT_OLD = Change("taught", "new", 0.5, 0.6, 10.0, 2.0, 18.0, 50)


def change(gain: float | None, low: float | None = None, role: Any = "old", **facts: Any) -> Change:
    high = None if low is None or gain is None else 2 * gain - low
    return Change("task", role, 0.5, None if gain is None else 0.5 + gain / 100, gain, low, high, 50, **facts)


@pytest.mark.parametrize(
    ("changes", "rules", "promoted"),
    [
        ([change(-2.0, -9.0)], Rules(), True),
        ([change(-2.1, -9.0)], Rules(), False),
        ([change(5.0, -3.0)], Rules(by="bound"), False),
        ([change(5.0, -2.0)], Rules(by="bound"), True),
        ([change(5.0)], Rules(by="bound"), False),  # no interval: it cannot be said
        ([change(None)], Rules(margin=100), False),
        ([change(0.0, 0.0, unchanged=True)], Rules(margin=0, by="bound"), True),
        ([change(1.0, -4.0), change(-30.0, -40.0)], Rules(margin=20), False),
    ],
)
def test_no_task_may_fall_by_more_than_the_margin(
    changes: list[Change], rules: Rules, promoted: bool
) -> None:
    assert verdict([*changes, NOT_OLD], rules)[0] is promoted


def test_what_was_taught_counts_too() -> None:
    fallen = change(-10.0, -20.0, role="new")
    assert (
        verdict([change(0.0, -1.0), fallen], Rules())[1] == "task falls by 10.0 points [gain -20.0 to +0.0]"
    )
    assert verdict([change(3.0, -1.0, role="new")], Rules())[0]
    promoted, reason = verdict([change(3.0, -1.0, role="new")], Rules(must_learn=True))
    assert not promoted
    assert reason.startswith("task is not shown to be learned: +3.0 points")
    assert verdict([Change("task", "new", None, 0.4)], Rules(must_learn=True))[0], "nothing to compare with"
    assert not verdict([Change("task", "new", 0.4, None)], Rules())[0]
    assert not verdict([Change("task", "new", None, None)], Rules())[0]


def task_with(metric: Metric) -> StubTask:
    return StubTask([], metrics=(metric,))


def stored(store: Store, name: str, values: Mapping[str, Any], missing: Sequence[str] = ()) -> str:
    run = store.start_run(name * 64, {}, {})
    answers = [
        Answer(sample, 0, "error" if sample in missing else "ok", "", "", "", {} if sample in missing else {"m": value},
               position=number)
        for number, (sample, value) in enumerate(values.items())
    ]  # fmt: skip
    store.append(run.run_id, answers)
    return run.run_id


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(tmp_path) as opened:
        yield opened


def mean(values: Sequence[Any]) -> float:
    return float(np.mean(values))


def test_seeds_are_averaged_and_only_shared_samples_count(store: Store) -> None:
    names = [f"s{number}" for number in range(40)]
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 2, (4, 40)).astype(float)
    runs = [
        stored(store, f"{n}", dict(zip(names, row, strict=True)), ["s3"] if n == 2 else [])
        for n, row in enumerate(drawn)
    ]
    task = task_with(Metric("m", mean))
    found = compare_runs(store, task, "old", runs[:2], runs[2:])
    kept = np.delete(drawn, 3, axis=1)
    expected = paired_difference([TaskPair(kept[2:].mean(axis=0), kept[:2].mean(axis=0))], normalised=False)
    assert expected is not None
    interval = expected.interval
    assert (found.n, found.unit) == (39, "points")
    assert [found.gain, found.low, found.high] == pytest.approx(
        [100 * interval.estimate, 100 * interval.low, 100 * interval.high]
    )
    assert found.before == pytest.approx(kept[:2].mean())
    same = compare_runs(store, task, "old", runs[:2], runs[:2])
    assert (same.gain, same.unchanged) == (0.0, True)
    assert compare_runs(store, task, "new", (), runs[:1]).gain is None


def test_a_metric_that_is_no_mean_has_a_paired_bootstrap_interval(store: Store) -> None:
    generator = np.random.default_rng(1)
    gold = generator.integers(0, 3, 60)
    wrong = np.where(generator.random(60) < 0.4, (gold + 1) % 3, gold)
    better = np.where(generator.random(60) < 0.1, (gold + 1) % 3, gold)
    runs = [
        stored(
            store,
            name,
            {f"s{k:02}": [int(g), int(p)] for k, (g, p) in enumerate(zip(gold, answers, strict=True))},
        )
        for name, answers in (("a", wrong), ("b", better))
    ]
    found = compare_runs(store, task_with(Metric("m", macro_f1, scale="ratio")), "old", runs[:1], runs[1:])
    expected = macro_f1(list(zip(gold, better, strict=True))) - macro_f1(list(zip(gold, wrong, strict=True)))
    assert found.gain == pytest.approx(100 * expected)
    assert found.low is not None
    assert found.high is not None
    # Independent of ours: the plain percentile bootstrap of the difference.
    draws = []
    for _ in range(2000):
        index = generator.integers(0, 60, 60)
        draws.append(
            macro_f1(list(zip(gold[index], better[index], strict=True)))
            - macro_f1(list(zip(gold[index], wrong[index], strict=True)))
        )
    assert [found.low, found.high] == pytest.approx(100 * np.quantile(draws, [0.025, 0.975]), abs=3)


def test_a_smaller_error_is_a_gain_in_per_cent_of_what_it_was(store: Store) -> None:
    runs = [
        stored(store, name, {f"s{k}": value + k % 3 for k in range(30)})
        for name, value in (("a", 9.0), ("b", 7.0))
    ]
    found = compare_runs(
        store, task_with(Metric("m", mean, higher_is_better=False, scale="mean")), "old", runs[:1], runs[1:]
    )
    assert found.unit == "%"
    assert (
        compare_runs(store, task_with(Metric("m", mean, scale="mean")), "old", runs[:1], runs[:1]).unit == "%"
    )
    assert found.gain == pytest.approx(20.0)
    worse = compare_runs(
        store, task_with(Metric("m", mean, higher_is_better=False, scale="mean")), "old", runs[1:], runs[:1]
    )
    assert worse.fall("estimate") == pytest.approx(25.0)
