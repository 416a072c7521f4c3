"""What contamination does to a score, in words: points with a lower bound, never yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tianti.board.show import with_sign
from tianti.core.wording import counted


def overlap_note(facts: Sequence[Mapping[str, Any]]) -> str:
    """The footnote of an entry on a task, from the `contamination` of its runs (the worst one counts); empty where
    none found anything."""
    worst = max(facts, key=lambda each: int(each.get("overlapping", 0)), default={})
    return overlap_text(worst) if worst.get("overlapping") else ""


def overlap_text(facts: Mapping[str, Any]) -> str:
    """What was found of a trial's test items in its own training data, and what it does to the score."""
    examples = counted(facts["training_examples"], "training example")
    if not facts["overlapping"]:
        return f"no overlap found in {examples}"
    kinds = (
        f"{facts['exact_duplicates']:,} the same, {facts['near_duplicates']:,} nearly so, "
        f"{facts['mostly_covered']:,} mostly covered"
    )
    found = f"{facts['overlapping']:,} of {facts['items']:,} test items overlap {examples} ({kinds})"
    if "inflation" in facts:
        return f"{found}; {inflation_text(facts['inflation'])}"
    clean = facts["items"] - facts["overlapping"]
    return f"{found}; " + (
        "inflation is not told of this metric" if clean else "no clean item to compare with"
    )


def inflation_text(gap: Mapping[str, Any]) -> str:
    """`inflation ≥ 3.1 points (95 %)`, or that none is shown."""
    if gap["least"] is None:
        return "inflation cannot be told from so few items"
    level = f"{gap['level']:.0%}".replace("%", " %")
    if gap["least"] > 0:
        return f"inflation ≥ {points(gap['least'])} points ({level})"
    if gap["p_holm"] <= 1 - gap["level"]:
        return f"inflation > 0 points ({level}), its size is open"
    return f"no inflation shown: {with_sign(points(gap['estimate']))} points, at least {points(gap['least'])} ({level})"


def points(share: float) -> str:
    """A share in points: one decimal, more where it would be written as nothing."""
    value = 100 * share
    text = f"{value:.1f}" if abs(value) >= 0.05 or value == 0 else f"{value:.1g}"
    return text
