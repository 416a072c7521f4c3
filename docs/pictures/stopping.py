"""The picture of stopping when the ranking is decided."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pictures.style import NAIVE, OTHER, OURS, QUIET, Say, numbers


def stopping(say: Say) -> Figure:
    peeking, decided = numbers("peeking"), numbers("decided")
    figure = Figure(figsize=(6.6, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2)
    test = say("usual test after every batch", "每批之后做普通检验")
    left.plot(peeking["items"], peeking["plain"], color=NAIVE, label=test)
    left.plot(peeking["items"], peeking["ours"], color=OURS, label=say("e-process", "e 过程"))
    left.axhline(0.05, color=QUIET, linewidth=0.8, linestyle="--")
    left.set_ylabel(say("boards with a false order", "出现虚假次序的榜单"))
    left.set_title(say("two equal entries", "两个相同的条目"))
    for gap, colour in zip(decided["share"], (OURS, OTHER, NAIVE), strict=True):
        points = f"{100 * gap:.0f}"
        label = say(f"{points} points apart", f"相邻相差 {points} 分")
        right.plot(decided["items"], decided["share"][gap], color=colour, label=label)
    right.set_ylabel(say("pairs decided", "已有定论的对数"))
    right.set_title(say("eight entries, ties within 2 points", "八个条目，2 分以内算平"))
    for axes in (left, right):
        axes.set_xlabel(say("items asked, of 10,000", "已提问的题目数（共 10,000 题）"))
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xticks([0, 5000, 10_000], ["0", "5,000", "10,000"])
        axes.legend()
    return figure
