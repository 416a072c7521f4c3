"""What is measured beside the score: calibration, forgetting, inflation by items that were seen."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from simulations.common import Z, holds
from tianti.stats import Group, StreamTask, forgetting, gap
from tianti.stats.calibration import calibration_error, expected_null
from tianti.stats.group_gaps import worst_group_gap


def calibration(boards=200, too_sure=0.05):
    """Calibration errors by the number of items: of a calibrated model, and of one that is too sure by five points."""
    rng = np.random.default_rng(30)
    counts = [100, 300, 1000, 3000, 10_000]
    found = {}
    for model, shift in (("calibrated", 0.0), ("too sure", too_sure)):
        found[model] = {"error": [], "excess": []}
        for count in counts:
            errors, nulls = np.empty((2, boards))
            for board in range(boards):
                # The probability of the chosen of four options.
                sure = 0.3 + 0.7 * rng.beta(4, 2, count)
                right = (rng.random(count) < sure - shift).astype(float)
                errors[board], nulls[board] = calibration_error(sure, right), expected_null(sure)
            found[model]["error"].append(float(errors.mean()))
            found[model]["excess"].append(float((errors - nulls).mean()))
    return {"items": counts, **found}


def forgotten(boards=200, tasks=5, items=100, share=0.7, common=0.8):
    """Forgetting where nothing was forgotten, by the number of stages: the mean found, and coverage of 0."""
    rng = np.random.default_rng(31)
    counts = [2, 3, 5, 10, 20]
    found = {name: [] for name in ("first", "best", "first holds", "best holds", "naive holds")}
    for count in counts:
        means, hits = {"first": 0.0, "best": 0.0}, {"first": 0, "best": 0, "naive": 0}
        for _ in range(boards):
            stream = [_stages(rng, count, items, share, common) for _ in range(tasks)]
            for name in ("first", "best"):
                interval = forgetting(stream, name, draws=500)
                means[name] += interval.estimate / boards
                hits[name] += holds(interval, 0.0)
            best = [int(task.values[:-1].sum(axis=1).argmax()) for task in stream]
            chosen = [StreamTask(task.values, stage) for task, stage in zip(stream, best, strict=True)]
            # As if the best stage had been named before looking.
            hits["naive"] += holds(forgetting(chosen), 0.0)
        for name, mean in means.items():
            found[name].append(mean)
        for name, hit in hits.items():
            found[f"{name} holds"].append(hit / boards)
    return {"stages": counts, **found}


def _stages(rng, stages, items, share, common):
    """A task that was taught first and stays as it was: most of an item's luck is the same after every stage."""
    luck = np.sqrt(common) * rng.normal(size=items) + np.sqrt(1 - common) * rng.normal(size=(stages, items))
    return StreamTask((luck < ndtri(share)).astype(float), 0)


def inflation(boards=1000, items=400, clean=0.6, seen=0.9):
    """By how much seen items lift a score, with the lower bound that is told, by the share of items seen."""
    rng = np.random.default_rng(32)
    shares = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
    found = {name: [] for name in ("true", "estimate", "least", "too much", "false alarm")}
    for share in shares:
        count = round(share * items)
        told = {"estimate": 0.0, "least": 0.0, "too much": 0, "false alarm": 0}
        for _ in range(boards):
            others = Group((rng.random(items - count) < clean).astype(float))
            lifted = gap(Group((rng.random(count) < seen).astype(float)), others, weight=share)
            told["estimate"] += lifted.interval.estimate
            told["least"] += lifted.least
            told["too much"] += lifted.least > share * (seen - clean)
            # Seen, and not remembered: nothing is lifted.
            told["false alarm"] += gap(Group((rng.random(count) < clean).astype(float)), others).least > 0
        found["true"].append(share * (seen - clean))
        for name, total in told.items():
            found[name].append(total / boards)
    return {"share": shares, **found}


def worst_forms(boards=200, items=200):
    """The score in the worst of several forms, of a model to which the form means nothing, by how many forms there are.

    Its answers are random: an item is right with a chance of its own, from 0 to 1. `corrected` gives back what the
    worst of as many answers to one form loses, as `robust_X` does.
    """
    rng = np.random.default_rng(33)
    counts = [2, 3, 5, 9]
    found = {"worst": [], "corrected": []}
    for count in counts:
        chances = rng.random((boards, items, 1))
        forms, again = (rng.random((2, boards, items, count)) < chances).astype(float)
        worst = np.minimum(forms[..., 1:].min(axis=-1), again[..., 0])
        found["worst"].append(float(worst.mean()))
        found["corrected"].append(float((worst + again.mean(axis=-1) - again.min(axis=-1)).mean()))
    return {"forms": counts, "score": 0.5, **found}


def worst_group(boards=1000, size=50, share=0.7):
    """How often the worst of several equal groups is said to lie below the mean over all."""
    rng = np.random.default_rng(34)
    counts = [2, 4, 8, 16]
    found = {"gap": [], "plain": [], "corrected": []}
    for count in counts:
        groups = np.repeat(np.arange(count), size)
        told = {"gap": 0.0, "plain": 0, "corrected": 0}
        for _ in range(boards):
            values = (rng.random(count * size) < share).astype(float)
            interval = worst_group_gap(values, groups.tolist())
            means = values.reshape(count, size).mean(axis=1)
            # The worst group as if it had been named before looking, beside the others.
            others = np.delete(values.reshape(count, size), means.argmin(), axis=0).ravel()
            error = np.hypot(
                *(np.sqrt(p * (1 - p) / n) for p, n in ((means.min(), size), (others.mean(), len(others))))
            )
            told["gap"] += interval.estimate
            told["plain"] += others.mean() - means.min() > Z * error
            told["corrected"] += interval.low > 0
        for name, total in told.items():
            found[name].append(total / boards)
    return {"groups": counts, **found}
