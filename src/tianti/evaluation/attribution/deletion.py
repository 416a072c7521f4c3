"""Does what was attributed matter? The heaviest tokens are deleted, and as many random ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tianti.core.seeds import derived_random
from tianti.evaluation.attribution.attribution import Attribution, scores
from tianti.evaluation.attribution.rows import Rows, Span

SHARE = 0.2
"""Of the tokens of a text that are deleted; at least one."""
DRAWS = 8
"""Random deletions, over which the drop is averaged."""


@dataclass(frozen=True)
class Deletion:
    """By how much the probability of the answer falls without the `deleted` heaviest tokens, and without as many random
    ones."""

    deleted: int
    top_drop: float
    random_drop: float

    @property
    def difference(self) -> float:
        """Above 0 where the heaviest tokens matter more than others."""
        return self.top_drop - self.random_drop


def delete_tokens(rows: Rows, found: Attribution, answer: int, seeds: Sequence[int | str]) -> Deletion:
    """Delete the tokens with the greatest weights, and random ones that are drawn from `seeds`."""
    ranked = sorted(found.tokens, key=lambda token: (-token.weight, token.start))
    count = max(1, round(SHARE * len(ranked)))
    spans: list[Span] = [(token.start, token.end) for token in found.tokens]
    top = frozenset((token.start, token.end) for token in ranked[:count])
    generator = derived_random("deletion", *seeds)
    drawn = [frozenset(generator.sample(spans, count)) for _ in range(DRAWS)]
    after = [math.exp(each) for each in scores(rows, [rows.without(each) for each in (top, *drawn)], answer)]
    before = math.exp(found.score)
    return Deletion(count, before - after[0], before - math.fsum(after[1:]) / DRAWS)
