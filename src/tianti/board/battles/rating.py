"""Votes → ratings with rank intervals, as plain data."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tianti.board.battles.columns import Columns, find_columns
from tianti.board.battles.votes import Votes, make_votes
from tianti.board.ranking import places
from tianti.board.rounding import rounded
from tianti.board.tables import LeftOut
from tianti.core.exceptions import UnknownNameError
from tianti.stats.moments import quantile
from tianti.stats.ratings import ELO, TIE, Coefficient, Ratings, Ties, rate, votes_to_unseat

CENTRE = 1000.0
"""The rating of the mean of all models, or of the anchor."""


@dataclass(frozen=True)
class RatedModel:
    """A model. `rating` is `CENTRE` + 400/ln 10 · strength, with its interval; `strength` is in log odds.
    `rank_low` … `rank_high` holds the true rank, for all models at once. `wins`, `losses` and `ties` are
    counts; `both_bad` battles are not among `battles`."""

    name: str
    rank: int
    rank_low: int
    rank_high: int
    rating: float
    low: float | None
    high: float | None
    strength: float
    battles: int
    wins: int
    losses: int
    ties: int
    both_bad: int


@dataclass(frozen=True)
class Style:
    """What one standard deviation more of a covariate, (A − B)/(A + B), adds to the log odds."""

    first: str
    second: str
    gamma: Coefficient


@dataclass(frozen=True)
class Clusters:
    """How many groups of battles depend on each other, and the column that says which."""

    column: str
    groups: int


@dataclass(frozen=True)
class Fragility:
    """Without `votes` votes, chosen for it, `successor` is first: an upper bound for the fewest."""

    votes: int
    successor: str


@dataclass(frozen=True)
class BattleRatings:
    """Models by rating, best first, and how the numbers were found.

    `n` battles are rated of `rows` rows; `both_bad` are apart, `left_out` says what became of the rest, and
    `ties_dropped` counts ties that were left out on request. `nu` is Davidson's: equal models tie with
    probability ν/(2 + ν). `unseat` is None where no such votes were found. `win_probability[i][j]` is the
    probability that model i beats model j, at equal style, in the order of `models`; what it leaves of 1 with
    that of j against i is the probability of a tie.
    """

    target: str
    method: str
    ties: Ties
    prior: float
    level: float
    family: int
    rows: int
    n: int
    tie_count: int
    ties_dropped: int
    both_bad: int
    left_out: tuple[LeftOut, ...]
    clusters: tuple[Clusters, ...]
    anchor: str | None
    nu: Coefficient | None
    style: tuple[Style, ...]
    unseat: Fragility | None
    models: tuple[RatedModel, ...]
    win_probability: tuple[tuple[float | None, ...], ...]

    def to_json(self) -> str:
        """All of it, numbers rounded to ten significant digits."""
        content: dict[str, Any] = rounded(asdict(self))
        return json.dumps(content, ensure_ascii=False, indent=2)

    def __str__(self) -> str:
        """The table that `tianti battles` prints, without colours."""
        from tianti.board.battles.terminal import to_text

        return to_text(self)


def rate_votes(
    table: pa.Table,
    *,
    left: str | None = None,
    right: str | None = None,
    winner: str | None = None,
    voter: str | None = None,
    prompt: str | None = None,
    ties: Ties = "davidson",
    style: Sequence[str] = (),
    anchor: str | None = None,
    prior: float = 0.0,
    level: float = 0.95,
    limit_to: Sequence[str] = (),
    leave_out: Sequence[str] = (),
) -> BattleRatings:
    """Rate the models of a table of votes, one row per battle.

    Raises:
        InputError: a column or value that cannot be used, or battles that determine no ratings.
    """
    quantile(level)
    columns = find_columns(
        table.column_names, left=left, right=right, winner=winner, voter=voter, prompt=prompt, style=style
    )
    votes = make_votes(table, columns, limit_to=limit_to, leave_out=leave_out)
    if anchor is not None and anchor not in votes.names:
        raise UnknownNameError("model", anchor, votes.names, where="--anchor")
    ratings = rate(votes.battles, ties=ties, prior=prior, names=votes.names)
    return _gathered(votes, columns, ratings, anchor, level)


def _gathered(
    votes: Votes, columns: Columns, ratings: Ratings, anchor: str | None, level: float
) -> BattleRatings:
    ranks = ratings.ranks(level)
    found = votes_to_unseat(ratings) if len(votes.names) > 1 else None
    models, order = _models(votes, ratings, anchor, level)
    win, _ = ratings.win_probabilities()
    return BattleRatings(
        target=ratings.target,
        method=ratings.method,
        ties=ratings.ties,
        prior=ratings.prior,
        level=level,
        family=ranks.family,
        rows=votes.rows,
        n=ratings.n,
        tie_count=int((votes.battles.outcome == TIE).sum()),
        ties_dropped=ratings.dropped,
        both_bad=votes.both_bad_rows,
        left_out=votes.left_out,
        clusters=tuple(map(Clusters, columns.clusters, ratings.clusters)),
        anchor=anchor,
        nu=ratings.nu(level),
        style=tuple(
            Style(*pair, gamma) for pair, gamma in zip(columns.style, ratings.style(level), strict=True)
        ),
        unseat=None if found is None else Fragility(found.votes, votes.names[found.successor]),
        models=models,
        win_probability=tuple(
            tuple(None if math.isnan(p) else float(p) for p in row) for row in win[np.ix_(order, order)]
        ),
    )


def _models(
    votes: Votes, ratings: Ratings, anchor: str | None, level: float
) -> tuple[tuple[RatedModel, ...], list[int]]:
    base = None if anchor is None else votes.names.index(anchor)
    scaled = ratings.against(base, level)
    ranks, counts = ratings.ranks(level), ratings.counts
    # Differences in the last digits are not differences of strength.
    strengths = [rounded(float(strength)) for strength in ratings.strengths]
    place = places(strengths)
    order = sorted(range(len(votes.names)), key=lambda index: (place[index], votes.names[index]))
    models = tuple(
        RatedModel(
            name=votes.names[index],
            rank=place[index],
            rank_low=int(ranks.low[index]),
            rank_high=int(ranks.high[index]),
            rating=CENTRE + ELO * scaled[index].estimate,
            low=_points(scaled[index].low),
            high=_points(scaled[index].high),
            strength=strengths[index],
            battles=int(counts.wins[index].sum() + counts.wins[:, index].sum() + counts.ties[index].sum()),
            wins=int(counts.wins[index].sum()),
            losses=int(counts.wins[:, index].sum()),
            ties=int(counts.ties[index].sum()),
            both_bad=int(votes.both_bad[index]),
        )
        for index in order
    )
    return models, order


def _points(strength: float | None) -> float | None:
    return None if strength is None else CENTRE + ELO * strength
