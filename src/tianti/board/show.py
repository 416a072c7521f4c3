"""How numbers of a board are written, the same in terminal, notebook and web."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tianti.board.entries import AspectColumn, Cell, Column, Entry
from tianti.stats.intervals import Interval

if TYPE_CHECKING:
    from tianti.board.compare import Difference

MISSING = "–"
NO_SHARES = ("brier", "brier_score", "log_loss")
"""Further metrics that are no shares of anything."""


def is_share(column: Column) -> bool:
    """Whether a column's values are shares, shown in per cent."""
    if isinstance(column, AspectColumn):
        return column.metric not in NO_SHARES
    return column.counts or column.scale == "proportion"


def arrow(column: Column) -> str:
    """Which way is better; empty where it is neither, as 0 is best."""
    return "" if column.signed else "↑" if column.higher_is_better else "↓"


def best(column: Column) -> str:
    """What a table puts first when it is sorted by the column."""
    return "near" if column.signed else "high" if column.higher_is_better else "low"


def percent(value: float | None, decimals: int = 1) -> str:
    """0.713 → 71.3; a dash where there is none. Never −0."""
    if value is None:
        return MISSING
    text = f"{100 * value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def number(value: float | None) -> str:
    """Three significant digits, for metrics that are no shares."""
    # Adding 0 makes 0 of −0.
    return MISSING if value is None else f"{value + 0.0:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def with_sign(text: str) -> str:
    """A number as text with a + before it where it is more than 0 as it is written. The minus is everywhere the one of
    the keyboard, so that what is copied is a number to any program."""
    return f"+{text}" if re.search("[1-9]", text) and not text.startswith("-") else text


def compact(value: int) -> str:
    """A count with three digits: 8030261248 → 8.03B."""
    if value < 1000:
        return str(value)
    power = min((len(str(value)) - 1) // 3, 4)
    scaled = value / 1000**power
    decimals = 2 if scaled < 10 else 1 if scaled < 100 else 0
    # Halves go up, as they do in the script of the board.
    return f"{math.floor(scaled * 10**decimals + 0.5) / 10**decimals:.{decimals}f}{' KMBT'[power]}"


def quantity_text(name: str, value: float | None) -> str:
    """What an entry took of something, or the size of its model: counts with three digits, seconds with one decimal."""
    if value is None:
        return MISSING
    if name == "energy":
        return number(value)
    # Rounded as the data of the board's page is, whose script writes the same.
    return f"{round(10 * value) / 10:.1f}" if name == "seconds" else compact(round(value))


def size_text(size: int | None) -> str:
    """Bytes in megabytes."""
    return MISSING if size is None else f"{size / 1e6:,.1f}" if size < 1e8 else f"{size / 1e6:,.0f}"


def difference(value: float | None, share: bool = True) -> str:
    """With its sign: +3.2; a dash where there is none."""
    return with_sign(percent(value) if share else number(value))


def half_width(low: float | None, high: float | None) -> float | None:
    """Half of an interval: what stands behind the ±."""
    return None if low is None or high is None else (high - low) / 2


def value_text(cell: Cell, column: Column, decimals: int = 1) -> str:
    """A cell's value without its interval."""
    return percent(cell.value, decimals) if is_share(column) else number(cell.value)


def cell_text(cell: Cell, column: Column, decimals: int = 1) -> str:
    """A cell's value ± half its interval."""
    half = half_width(cell.low, cell.high)
    value = value_text(cell, column, decimals)
    if half is None:
        return value
    return f"{value} ±{percent(half, decimals) if is_share(column) else number(half)}"


def interval_text(interval: Interval | None, *, signed: bool = False) -> str:
    """In per cent ± half the interval, with a sign where it is a difference."""
    if interval is None:
        return MISSING
    half = half_width(interval.low, interval.high)
    text = percent(interval.estimate)
    return (with_sign(text) if signed else text) + ("" if half is None else f" ±{percent(half)}")


def difference_text(found: Difference) -> str:
    """A difference with its sign ± half its interval."""
    half = half_width(found.low, found.high)
    text = difference(found.difference, found.share)
    return text if half is None else f"{text} ±{percent(half) if found.share else number(half)}"


def mean_text(entry: Entry, decimals: int = 1) -> str:
    """An entry's mean ± half its interval."""
    half = half_width(entry.low, entry.high)
    text = percent(entry.mean, decimals)
    return text if half is None else f"{text} ±{percent(half, decimals)}"


def rank_text(low: int | None, high: int | None, place: int | None) -> str:
    """`3`, or `2–5` where the data leave it open."""
    if place is None:
        return MISSING
    if low is None or high is None or low == high:
        return str(place)
    return f"{low}–{high}"


def letter(band: int) -> str:
    """1 → A, 26 → Z, 27 → AA."""
    text = ""
    while band > 0:
        band, digit = divmod(band - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


def place_text(entry: Entry) -> str:
    """`B 2–5`: the letter of an entry's band, where it has one, and its rank."""
    rank = rank_text(entry.rank_low, entry.rank_high, entry.rank)
    return f"{letter(entry.band)} {rank}" if entry.band else rank


def plain(value: float | None) -> str:
    """Four significant digits, whatever the scale; a dash where there is none."""
    return MISSING if value is None else f"{value:.4g}"
