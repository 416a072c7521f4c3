"""The picture of aggregates: how far the order depends on them, and on gaps."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pictures.style import NAIVE, OTHER, OURS, QUIET, Say, numbers


def aggregates(say: Say) -> Figure:
    orders, missing = numbers("orders"), numbers("missing")
    figure = Figure(figsize=(6.6, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    place = np.arange(1, len(orders["places"]["mean"]) + 1)
    low, high = orders["weights"]
    left.hlines(place, low, high, color=OURS, alpha=0.3, linewidth=5, label=say("other weights", "其他权重"))
    for name, mark, colour, label in (
        ("mean", "o", OURS, say("mean", "均值")),
        ("borda", "^", NAIVE, "Borda"),
        ("latent", "x", "black", say("latent", "潜在能力")),
    ):
        left.plot(orders["places"][name], place, mark, color=colour, markersize=5, label=label)
    left.invert_yaxis()
    left.set_yticks([1, 4, 8, 12])
    left.set_xticks([1, 4, 8, 12])
    left.set_xlabel(say("place", "名次"))
    left.set_ylabel(say("entries by mean", "按均值排列的条目"))
    left.legend(loc="upper right", fontsize=8)
    for name, colour, label in (
        ("average of what is there", NAIVE, say("average of what is there", "现有得分的平均")),
        ("borda", QUIET, "Borda"),
        ("win-rate", OTHER, say("win rate", "胜率")),
        ("latent", OURS, say("latent", "潜在能力")),
    ):
        right.plot(missing["share"], missing[name], "o-", color=colour, markersize=4, label=label)
    right.xaxis.set_major_formatter(PercentFormatter(1.0))
    right.set_ylim(bottom=0)
    right.set_xlabel(say("scores missing", "缺失的得分"))
    right.set_ylabel(say("places moved, of 30", "名次平均变动（共 30 名）"))
    right.legend(fontsize=8)
    return figure
