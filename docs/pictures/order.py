"""Pictures of how sure an order is."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pictures.style import BANDS, BLANK, NAIVE, OTHER, OURS, QUIET, Say, canvas, coverage, numbers


def pairing(say: Say) -> Figure:
    found = numbers("pairing")
    figure, axes = canvas(height=2.4)
    for row, pair in enumerate(found):
        for shift, name, colour in ((-0.14, "paired", OURS), (0.14, "unpaired", NAIVE)):
            low, high = pair[name]
            axes.plot(
                [100 * low, 100 * high], [row + shift] * 2, color=colour, linewidth=2.5, solid_capstyle="butt"
            )
            axes.plot(100 * pair["estimate"], row + shift, "o", color=colour, markersize=4)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.axvline(4, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(found)), [f"{100 * pair['differ']:.0f}%" for pair in found])
    axes.set_ylabel(say("items on which\nthey differ", "两者结果不同的题目"))
    axes.set_xlabel(say("difference in points (the truth is 4)", "差值（分；真值为 4）"))
    axes.invert_yaxis()
    for name, colour, label in (
        ("paired", OURS, say("paired", "配对")),
        ("unpaired", NAIVE, say("not paired", "不配对")),
    ):
        axes.plot([], [], color=colour, linewidth=2.5, label=label, gid=name)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def ranks(say: Say) -> Figure:
    found = numbers("ranked")
    figure = Figure(figsize=(6.6, 3.7), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    titles = {
        "together": say("for all at once (Holm)", "对全部条目同时成立（Holm）"),
        "alone": say("for one entry by itself", "只对单个条目成立"),
        "every pair": say("every pair at 5%", "逐对检验，不校正"),
    }
    best, worst = found["true"]
    place = np.arange(1, len(best) + 1)
    for axes, (name, title), colour in zip(panels, titles.items(), (OURS, OTHER, NAIVE), strict=True):
        low, high = found[name]
        axes.hlines(place, low - 0.3, high + 0.3, color=colour, linewidth=5, alpha=0.5)
        axes.hlines(place, best, worst, color="black", linewidth=1)
        missed = (low > best) | (worst > high)
        axes.plot(np.full(missed.sum(), 21.2), place[missed], "x", color="black", markersize=5)
        held = f"{100 * found['held'][name]:.0f}%"
        axes.set_title(
            f"{title}\n" + say(f"all true on {held} of boards", f"{held} 的榜单全部正确"), linespacing=1.4
        )
        axes.set_xlabel(say("rank", "名次"))
        axes.set_xticks([1, 5, 10, 15, 20])
    panels[0].invert_yaxis()
    panels[0].set_yticks([1, 5, 10, 15, 20])
    panels[0].set_ylabel(say("entries, four groups of five equals", "条目（四组，每组五个相同）"))
    return figure


def false_order(say: Say) -> Figure:
    found = numbers("false_order")
    figure, axes = canvas(height=2.1)
    labels = {
        "every pair": say("every pair at 5%", "逐对检验，不校正"),
        "apart": say("intervals that do not overlap", "看区间是否重叠"),
        "max-t": "max-T",
        "holm": "Holm",
    }
    colours = [NAIVE, NAIVE, OURS, OURS]
    bars = axes.barh(list(labels.values()), [found[name] for name in labels], color=colours, height=0.6)
    axes.bar_label(bars, [f"{100 * found[name]:.1f}%" for name in labels], padding=3, bbox=BLANK)
    axes.axvline(0.05, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_xlim(0, 1.12)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.invert_yaxis()
    axes.set_xlabel(
        say("boards of 100 equal entries with a false order", "100 个相同条目的榜单中出现虚假次序的比例")
    )
    return figure


def band(say: Say) -> Figure:
    found = numbers("bands_of_a_board")
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    place = np.arange(1, len(found["score"]) + 1)
    low, high = found["bounds"]
    for axes, name, title in zip(
        panels,
        ("anchored", "chained"),
        (
            say("compared with the first of the band", "与本档第一名比较"),
            say("compared with the neighbour above", "与上一名比较"),
        ),
        strict=True,
    ):
        colours = [BANDS[(number - 1) % len(BANDS)] for number in found[name]]
        axes.vlines(place, 100 * low, 100 * high, color=colours, linewidth=3)
        axes.scatter(place, 100 * found["score"], color=colours, s=16, zorder=3)
        count = max(found[name])
        axes.set_title(title + say(f": {count} band{'s' * (count > 1)}", f"：{count} 档"), loc="left")
        axes.set_ylabel(say("score", "得分"))
    panels[1].set_xticks([1, 5, 10, 15, 20])
    panels[1].set_xlabel(say("entries by score", "按得分排列的条目"))
    return figure


def winner(say: Say) -> Figure:
    found = numbers("winner")
    figure, axes = canvas()
    places = range(len(found["entries"]))
    axes.plot(places, found["allowed for"], "o-", color=OURS, label=say("picking allowed for", "考虑了挑选"))
    axes.plot(places, found["plain"], "o-", color=NAIVE, label=say("plain interval", "普通区间"))
    axes.set_xticks(places, found["entries"])
    coverage(axes, say, 0.0)
    axes.set_xlabel(
        say("equal entries, of which the best is looked at", "相同条目的个数（只看其中最好的一个）")
    )
    axes.legend(loc="lower left")
    return figure
