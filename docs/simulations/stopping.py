"""Looking at a board while it runs: what is said of equal entries, and when entries that differ are decided."""

from __future__ import annotations

import numpy as np

from simulations.common import Z, answers
from tianti.stats.sequential import FIRST_ITEMS, Bank, Placing, Ranking, fit_control


def peeking(boards=200, items=10_000, batch=50):
    """The share of boards of two equal entries on which one was called better, by how many items were asked so far.

    Both have the same number of right answers on the bank. The paired z-test is looked at after every batch.
    """
    rng = np.random.default_rng(40)
    bank = Bank({"t": items}, {"t": None})
    plain, ours = np.zeros((2, items // batch))
    for _ in range(boards):
        values = _equal(rng, 2, items)
        gained = np.cumsum(values[0] - values[1])[batch - 1 :: batch]
        differ = np.cumsum(values[0] != values[1])[batch - 1 :: batch]
        plain += np.logical_or.accumulate(np.abs(gained) >= Z * np.sqrt(np.maximum(differ, 1)))
        ranking, claimed = Ranking(2, bank, delta=0.02), []
        for start in range(0, items, batch):
            part = values[:, start : start + batch]
            ranking.take(part, part, ["t"] * batch, range(2))
            claimed.append(bool(ranking.decisions().better.any()))
        ours += np.logical_or.accumulate(claimed)
    return {"items": batch * np.arange(1, len(plain) + 1), "plain": plain / boards, "ours": ours / boards}


def _equal(rng, entries, items, share=0.6):
    """Answers with exactly the same number of right ones: random ones are turned until it is so."""
    values = answers(rng, np.full(entries, share), items).astype(float)
    for row in values:
        extra = int(row.sum()) - int(share * items)
        row[rng.choice(np.flatnonzero(row == float(extra > 0)), abs(extra), replace=False)] = float(extra < 0)
    return values


def decided(boards=10, entries=8, items=10_000, batch=100, delta=0.02):
    """The share of pairs decided by the number of items asked, and what was asked in all, by the gap of neighbours."""
    rng = np.random.default_rng(41)
    bank = Bank({"t": items}, {"t": None})
    found = {"items": batch * np.arange(1, items // batch + 1), "share": {}, "asked": {}, "wrong": 0}
    for gap in (0.08, 0.04, 0.02):
        share, asked = np.zeros(items // batch), 0
        for _ in range(boards):
            values = answers(rng, 0.8 - gap * np.arange(entries), items).astype(float)
            ranking, running = Ranking(entries, bank, delta=delta), np.ones(entries, dtype=bool)
            for look, start in enumerate(range(0, items, batch)):
                part = values[running, start : start + batch]
                ranking.take(part, part, ["t"] * batch, running)
                shown = ranking.decisions()
                share[look] += (shown.decided.sum() - np.trace(shown.decided)) / (entries * (entries - 1))
                running &= ~shown.settled
                if not running.any():
                    share[look + 1 :] += 1
                    break
            asked += int(ranking.asked.sum())
            means = values.mean(axis=1)
            found["wrong"] += bool((shown.better & (means[:, None] <= means[None, :])).any())
        found["share"][gap], found["asked"][gap] = share / boards, asked / boards / (entries * items)
    return found


def placed(boards=20, incumbents=20, items=10_000, batch=250, delta=0.02):
    """The items after which a new entry is placed among incumbents of known scores, without and with predictions."""
    rng = np.random.default_rng(42)
    bank = Bank({"t": items}, {"t": None})
    found = {"plain": [], "predicted": []}
    for _ in range(boards):
        values = answers(rng, rng.uniform(0.4, 0.8, incumbents + 1), items, spread=2.0).astype(float)
        new, others = values[0], values[1:]
        scores = np.array([others.mean(axis=1)] * 2)
        control = fit_control(others, new[:FIRST_ITEMS], bank.units(["t"] * items))
        for name, given in (("plain", None), ("predicted", control)):
            placing = Placing(scores, bank, delta=delta, control=given)
            for start in range(0, items, batch):
                part = new[start : start + batch]
                placing.take(part, part, ["t"] * len(part))
                if placing.place().settled.all():
                    break
            found[name].append(placing.asked)
    return {name: float(np.mean(asked)) for name, asked in found.items()}
