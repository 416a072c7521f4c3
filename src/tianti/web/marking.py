"""What marks an answer as right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score

Verdict = Literal["right", "wrong", "other"]


@dataclass(frozen=True)
class Marking:
    """The metric whose values stand beside answers. Where it `judges`, 1 is right and 0 wrong; that an answer changed
    with the group, or how far it is off, is neither."""

    metric: str
    judges: bool = True

    def verdict(self, answer: Answer) -> Verdict:
        """`right` for 1, `wrong` for 0; `other` for what is neither, or has no value."""
        value = answer.values.get(self.metric)
        if not self.judges or not isinstance(value, int | float):
            return "other"
        return "right" if value == 1 else "wrong" if value == 0 else "other"

    def mark(self, answer: Answer) -> str:
        """✓ for right, ✗ for wrong, the number for others; empty where there is none."""
        value = answer.values.get(self.metric)
        if not isinstance(value, int | float):
            return ""
        return {"right": "✓", "wrong": "✗"}.get(self.verdict(answer), f"{value:.3g}")


def marking(scores: Sequence[Score]) -> Marking:
    """By the metric that ranks if higher is better, else by the first of which that is so (accuracy, behind the share
    of answers that change); without one, the numbers of the metric that ranks, which judge nothing."""
    ordered = sorted(scores, key=lambda score: not score.main)
    judging = next((score for score in ordered if score.higher_is_better), None)
    if judging is not None:
        return Marking(judging.metric)
    return Marking(ordered[0].metric if ordered and ordered[0].main else "", judges=False)
