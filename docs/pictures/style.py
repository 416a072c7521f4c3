"""What all pictures share: colours, sizes, and the two languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import simulations
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

OURS, NAIVE, OTHER, QUIET = "#1f5fa8", "#c4621a", "#4f8a5b", "#8a8a8a"
BANDS = ["#1f5fa8", "#8ab4de", "#4f8a5b", "#a9cfae", "#8a8a8a", "#c9c9c9", "#c4621a", "#e8b48c"]
BLANK = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}

Say = Callable[[str, str], str]
"""Chooses the English or the Chinese of the two words given."""


@cache
def numbers(simulation: str) -> Any:
    """What this function of `simulations` finds, computed once for both languages."""
    return getattr(simulations, simulation)()


def canvas(height: float = 2.9) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, height), layout="constrained")
    return figure, figure.subplots()


def coverage(axes: Axes, say: Say, bottom: float) -> None:
    """The vertical axis of a picture of coverage, with a line where it should be."""
    axes.axhline(0.95, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_ylim(bottom, 1.005)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel(say("intervals that hold the truth", "包含真值的区间比例"))
