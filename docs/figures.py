"""Draw the pictures of docs/concepts/statistics.md, in English and Chinese: `make figures`.

`python docs/figures.py [NAME…]` draws all of them, or those named, into docs/images/statistics. The numbers
come from simulations.py, nothing is drawn by hand.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import simulations
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from PIL import Image

FOLDER = Path(__file__).parent / "images" / "statistics"
CHINESE = ["Noto Sans CJK SC", "Noto Serif CJK SC"]
OURS, NAIVE, OTHER, QUIET = "#1f5fa8", "#c4621a", "#4f8a5b", "#8a8a8a"
BANDS = ["#1f5fa8", "#8ab4de", "#4f8a5b", "#a9cfae", "#8a8a8a", "#c9c9c9", "#c4621a", "#e8b48c"]
BLANK = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "axes.unicode_minus": False,
}

Say = Callable[[str, str], str]
"""Chooses the English or the Chinese of the two words given."""


@cache
def numbers(simulation: str) -> Any:
    """What this function of simulations.py finds, computed once for both languages."""
    return getattr(simulations, simulation)()


def target(say: Say) -> Figure:
    found = numbers("target")
    figure, axes = _canvas()
    for name, colour, label in (
        ("bank", OURS, say("to the score on the whole bank", "与整个题库得分的距离")),
        ("new", NAIVE, say("to the score on new items", "与新题目得分的距离")),
    ):
        axes.plot(found["n"], 100 * found[name], color=colour, label=label)
    dots = say("half-width of tianti's interval", "天梯区间的半宽")
    axes.plot(found["n"], 100 * found["shown"], "o", color=QUIET, markersize=3, label=dots)
    axes.set_xlabel(say("items asked, of a bank of 1,000", "已提问的题目数（题库共 1,000 题）"))
    axes.set_ylabel(say("distance, points (95% quantile)", "距离（分，95% 分位数）"))
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def shares(say: Say) -> Figure:
    found = numbers("shares")
    figure, axes = _canvas()
    for name, colour, label in (
        ("clopper", OTHER, "Clopper–Pearson"),
        ("wilson", OURS, "Wilson"),
        ("wald", NAIVE, say("p̂ ± 1.96·SE (Wald)", "p̂ ± 1.96·SE（Wald）")),
    ):
        axes.plot(found["p"], found[name], color=colour, label=label, linewidth=1.1)
    _coverage(axes, say, 0.6)
    axes.set_xlabel(say("true share of right answers (50 items)", "真实的答对比例（50 题）"))
    axes.legend(loc="lower left")
    return figure


def clusters(say: Say) -> Figure:
    found = numbers("clusters")
    figure, axes = _canvas()
    axes.plot(found["clusters"], found["clustered"], "o-", color=OURS, label=say("CR1·t", "CR1·t（按簇）"))
    plain = say("items taken as independent", "把题目当作相互独立")
    axes.plot(found["clusters"], found["plain"], "o-", color=NAIVE, label=plain)
    axes.set_xscale("log")
    axes.set_xticks(found["clusters"], [str(count) for count in found["clusters"]])
    axes.minorticks_off()
    _coverage(axes, say, 0.7)
    axes.set_xlabel(say("clusters of five items (correlation 0.3)", "簇数（每簇五题，簇内相关 0.3）"))
    axes.legend(loc="center right")
    return figure


def averages(say: Say) -> Figure:
    found = numbers("averages")
    figure, axes = _canvas()
    places = range(len(found["level"]))
    axes.plot(
        places, found["ours"], "o-", color=OURS, label=say("with z²/K imagined items", "加上 z²/K 道假想题")
    )
    posterior = say("mean of posteriors (Jeffreys)", "各任务后验的平均（Jeffreys）")
    axes.plot(places, found["posterior"], "o-", color=QUIET, label=posterior)
    axes.plot(places, found["plain"], "o-", color=NAIVE, label=say("mean ± 1.96·SE", "均值 ± 1.96·SE"))
    axes.set_xticks(places, [f"{100 * level:g}" for level in found["level"]])
    _coverage(axes, say, 0.6)
    axes.set_xlabel(
        say("true mean of five tasks of 20 items, points", "五个任务（各 20 题）的真实均值（分）")
    )
    axes.legend(loc="lower left")
    return figure


def ratio(say: Say) -> Figure:
    found = numbers("ratio")
    figure, axes = _canvas()
    places = np.arange(len(found["documents"]))
    below, above = say("interval too low", "区间偏低"), say("interval too high", "区间偏高")
    names = {"plain": say("± 1.96·SE", "± 1.96·SE"), "bca": "BCa"}
    for shift, name, colour in ((-0.19, "plain", NAIVE), (0.19, "bca", OURS)):
        axes.bar(places + shift, found[name][:, 0], 0.34, color=colour, label=f"{names[name]}: {below}")
        bottom = -found[name][:, 1]
        axes.bar(places + shift, bottom, 0.34, color=colour, alpha=0.45, label=f"{names[name]}: {above}")
    axes.axhline(0, color="#555555", linewidth=0.8)
    for height in (0.025, -0.025):
        axes.axhline(height, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_xticks(places, found["documents"])
    axes.yaxis.set_major_formatter(lambda share, _: f"{abs(100 * share):.0f}%")
    axes.set_xlabel(say("documents", "文档数"))
    axes.set_ylabel(say("share of intervals that miss", "未包含真值的区间比例"))
    axes.legend()
    return figure


def repeats(say: Say) -> Figure:
    found = numbers("repeats")
    figure, axes = _canvas()
    places = range(len(found["repeats"]))
    axes.plot(
        places, found["averaged"], "o-", color=OURS, label=say("averaged per item first", "先在每题内取平均")
    )
    axes.plot(
        places, found["pooled"], "o-", color=NAIVE, label=say("all answers pooled", "把所有回答混在一起")
    )
    axes.set_xticks(places, found["repeats"])
    _coverage(axes, say, 0.5)
    axes.set_xlabel(say("answers to each of 100 items", "每题的回答次数（共 100 题）"))
    axes.legend(loc="lower left")
    return figure


def pairing(say: Say) -> Figure:
    found = numbers("pairing")
    figure, axes = _canvas(height=2.4)
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
    figure, axes = _canvas(height=2.1)
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
    figure, axes = _canvas()
    places = range(len(found["entries"]))
    axes.plot(places, found["allowed for"], "o-", color=OURS, label=say("picking allowed for", "考虑了挑选"))
    axes.plot(places, found["plain"], "o-", color=NAIVE, label=say("plain interval", "普通区间"))
    axes.set_xticks(places, found["entries"])
    _coverage(axes, say, 0.0)
    axes.set_xlabel(
        say("equal entries, of which the best is looked at", "相同条目的个数（只看其中最好的一个）")
    )
    axes.legend(loc="lower left")
    return figure


PICTURES: dict[str, Callable[[Say], Figure]] = {
    "target": target,
    "shares": shares,
    "clusters": clusters,
    "averages": averages,
    "ratio": ratio,
    "repeats": repeats,
    "pairing": pairing,
    "ranks": ranks,
    "false-order": false_order,
    "bands": band,
    "winner": winner,
}


def _canvas(height: float = 2.9) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, height), layout="constrained")
    return figure, figure.subplots()


def _coverage(axes: Axes, say: Say, bottom: float) -> None:
    """The vertical axis of a picture of coverage, with a line where it should be."""
    axes.axhline(0.95, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_ylim(bottom, 1.005)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel(say("intervals that hold the truth", "包含真值的区间比例"))


def chinese_fonts() -> list[str]:
    """Which of the fonts with Chinese characters this machine has."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CHINESE if name in known]


def draw(name: str, language: str) -> Image.Image:
    """The picture of this name; its colours are few, so that its file is small."""
    fonts = ["DejaVu Sans", *(chinese_fonts()[:1] if language == "zh" else [])]
    with mpl.rc_context({**STYLE, "font.family": fonts}):
        figure = PICTURES[name](lambda english, chinese: english if language == "en" else chinese)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=120)
    return Image.open(file).convert("RGB").quantize(48, dither=Image.Dither.NONE)


def main(names: list[str]) -> None:
    if not chinese_fonts():
        raise SystemExit(
            f"none of the fonts {', '.join(CHINESE)} is here, and half of the labels are Chinese: "
            "install fonts-noto-cjk, then delete matplotlib's font cache"
        )
    unknown = sorted(set(names) - set(PICTURES))
    if unknown:
        raise SystemExit(f"there is no picture {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        for language, ending in (("en", ".png"), ("zh", ".zh.png")):
            draw(name, language).save(FOLDER / f"{name}{ending}", optimize=True)
        print(f"{name}.png, {name}.zh.png", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
