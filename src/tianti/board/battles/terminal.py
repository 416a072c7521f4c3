"""Ratings from battles for the terminal: a table, and below it what a reader needs to know."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.board.battles.rating import CENTRE, BattleRatings
from tianti.board.show import MISSING, half_width, number, rank_text
from tianti.core.wording import counted
from tianti.stats.ratings import Coefficient

MODEL_WIDTH = 40
HALVES = {"davidson": "", "half": "; a tie is half a win for each", "drop": ""}


def to_text(found: BattleRatings) -> str:
    """The table as plain text, as wide as the terminal or 80 characters where there is none."""
    console = Console(file=StringIO(), color_system=None, force_terminal=False, force_jupyter=False)
    with console.capture() as captured:
        console.print(render(found))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def render(found: BattleRatings) -> RenderableType:
    """The table with its footnotes."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=MODEL_WIDTH)
    titles = ["rating", "battles", "wins", "losses", "ties", *(["both bad"] if found.both_bad else [])]
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for model in found.models:
        half = half_width(model.low, model.high)
        rating = f"{model.rating:.0f}" + ("" if half is None else f" ±{half:.0f}")
        counts = [model.battles, model.wins, model.losses, model.ties]
        counts += [model.both_bad] if found.both_bad else []
        rank = rank_text(model.rank_low, model.rank_high, model.rank)
        table.add_row(*map(Text, [rank, model.name, rating, *(f"{count:,}" for count in counts)]))
    return Group(table, "", *(Text(line, style="dim") for line in _notes(found)))


def _notes(found: BattleRatings) -> Iterable[str]:
    level = f"{found.level:.0%}"
    centre = f"{found.anchor} is {CENTRE:.0f}" if found.anchor else f"{CENTRE:.0f} is the mean of all models"
    yield _data(found)
    yield (
        f"rating: {centre}, 400 more are odds of 10 : 1 for a win against a loss{HALVES[found.ties]}. "
        f"±: half of the {level} interval for {found.target}{' (against the anchor)' if found.anchor else ''}."
    )
    yield (
        f"rank: all intervals hold at once with {level} (differences of ratings, Holm over "
        f"{found.family:,} hypotheses)."
    )
    yield f"method: {found.method}, {_clustering(found)}."
    if found.nu is not None:
        yield (
            f"ties: two equal models tie in {_tie_share(found.nu.estimate)} of battles, "
            f"ν = {_coefficient(found.nu)}."
        )
    for style in found.style:
        yield (
            f"style: one standard deviation more of {style.first} than {style.second} adds "
            f"{_coefficient(style.gamma)} to the log odds; ratings are at equal style."
        )
    yield _fragility(found)
    for left in found.left_out:
        yield f"left out: {counted(left.rows, 'row')}: {left.reason} (the first is row {left.first_row})."


def _data(found: BattleRatings) -> str:
    text = (
        f"{counted(len(found.models), 'model')}, {counted(found.n, 'battle')} of {counted(found.rows, 'row')}"
    )
    if found.ties_dropped:
        text += f"; {counted(found.ties_dropped, 'tie')} dropped"
    elif found.tie_count:
        text += f"; {counted(found.tie_count, 'tie')} among them"
    if found.both_bad:
        text += f"; {found.both_bad:,} with both bad are counted apart, they rank nobody"
    return text + "."


def _clustering(found: BattleRatings) -> str:
    if not found.clusters:
        return "each battle on its own (name a column with --voter if voters gave several votes)"
    groups = " and ".join(f"{found_in.groups:,} values of {found_in.column}" for found_in in found.clusters)
    return f"clustered by {groups}"


def _fragility(found: BattleRatings) -> str:
    if found.unseat is None:
        return "first place: no votes were found without which another model is first."
    if not found.unseat.votes:
        return f"first place: shared with {found.unseat.successor}."
    share = found.unseat.votes / found.n
    return (
        f"first place: without {counted(found.unseat.votes, 'chosen vote')} ({share:.2%}) "
        f"{found.unseat.successor} is first, so at most that many hold it up."
    )


def _tie_share(nu: float) -> str:
    return f"{nu / (2 + nu):.0%}"


def _coefficient(value: Coefficient) -> str:
    if value.low is None or value.high is None:
        return f"{number(value.estimate)} ({MISSING})"
    return f"{number(value.estimate)} ({number(value.low)} … {number(value.high)})"
