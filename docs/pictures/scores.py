"""Pictures of how sure a score is."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pictures.style import NAIVE, OTHER, OURS, QUIET, Say, canvas, coverage, numbers


def target(say: Say) -> Figure:
    found = numbers("target")
    figure, axes = canvas()
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
    figure, axes = canvas()
    for name, colour, label in (
        ("clopper", OTHER, "Clopper–Pearson"),
        ("wilson", OURS, "Wilson"),
        ("wald", NAIVE, say("p̂ ± 1.96·SE (Wald)", "p̂ ± 1.96·SE（Wald）")),
    ):
        axes.plot(found["p"], found[name], color=colour, label=label, linewidth=1.1)
    coverage(axes, say, 0.6)
    axes.set_xlabel(say("true share of right answers (50 items)", "真实的答对比例（50 题）"))
    axes.legend(loc="lower left")
    return figure


def clusters(say: Say) -> Figure:
    found = numbers("clusters")
    figure, axes = canvas()
    axes.plot(found["clusters"], found["clustered"], "o-", color=OURS, label=say("CR1·t", "CR1·t（按簇）"))
    plain = say("items taken as independent", "把题目当作相互独立")
    axes.plot(found["clusters"], found["plain"], "o-", color=NAIVE, label=plain)
    axes.set_xscale("log")
    axes.set_xticks(found["clusters"], [str(count) for count in found["clusters"]])
    axes.minorticks_off()
    coverage(axes, say, 0.7)
    axes.set_xlabel(say("clusters of five items (correlation 0.3)", "簇数（每簇五题，簇内相关 0.3）"))
    axes.legend(loc="center right")
    return figure


def averages(say: Say) -> Figure:
    found = numbers("averages")
    figure, axes = canvas()
    places = range(len(found["level"]))
    axes.plot(
        places, found["ours"], "o-", color=OURS, label=say("with z²/K imagined items", "加上 z²/K 道假想题")
    )
    posterior = say("mean of posteriors (Jeffreys)", "各任务后验的平均（Jeffreys）")
    axes.plot(places, found["posterior"], "o-", color=QUIET, label=posterior)
    axes.plot(places, found["plain"], "o-", color=NAIVE, label=say("mean ± 1.96·SE", "均值 ± 1.96·SE"))
    axes.set_xticks(places, [f"{100 * level:g}" for level in found["level"]])
    coverage(axes, say, 0.6)
    axes.set_xlabel(
        say("true mean of five tasks of 20 items, points", "五个任务（各 20 题）的真实均值（分）")
    )
    axes.legend(loc="lower left")
    return figure


def ratio(say: Say) -> Figure:
    found = numbers("ratio")
    figure, axes = canvas()
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
    figure, axes = canvas()
    places = range(len(found["repeats"]))
    axes.plot(
        places, found["averaged"], "o-", color=OURS, label=say("averaged per item first", "先在每题内取平均")
    )
    axes.plot(
        places, found["pooled"], "o-", color=NAIVE, label=say("all answers pooled", "把所有回答混在一起")
    )
    axes.set_xticks(places, found["repeats"])
    coverage(axes, say, 0.5)
    axes.set_xlabel(say("answers to each of 100 items", "每题的回答次数（共 100 题）"))
    axes.legend(loc="lower left")
    return figure
