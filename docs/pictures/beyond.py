"""Pictures of votes, calibration, forgetting and inflation."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pictures.style import NAIVE, OURS, QUIET, Say, canvas, coverage, numbers


def battles(say: Say) -> Figure:
    strengths, voters = numbers("ties"), numbers("voters")
    figure = Figure(figsize=(6.6, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axline((0, 0), slope=1, color=QUIET, linewidth=0.8, linestyle="--")
    for name, colour, label in (
        ("davidson", OURS, say("ties modelled", "为平局建模")),
        ("half", NAIVE, say("a tie is half a win", "平局算半胜")),
    ):
        left.plot(strengths["true"], strengths[name], "o-", color=colour, label=label, markersize=4)
    left.set_xlabel(say("true strength (log odds)", "真实强度（对数优势）"))
    left.set_ylabel(say("strength found", "估计的强度"))
    left.legend()
    places = range(len(voters["votes"]))
    right.plot(places, voters["clustered"], "o-", color=OURS, label=say("clustered by voter", "按投票者分簇"))
    right.plot(places, voters["plain"], "o-", color=NAIVE, label=say("every vote by itself", "每票独立"))
    right.set_xticks(places, voters["votes"])
    coverage(right, say, 0.5)
    right.set_xlabel(say("votes of each voter", "每人投票数"))
    right.legend(loc="lower left")
    return figure


def calibration(say: Say) -> Figure:
    found = numbers("calibration")
    figure, axes = canvas()
    places = range(len(found["items"]))
    models = {
        "calibrated": say("calibrated model", "校准良好的模型"),
        "too sure": say("too sure by 5 points", "高估 5 分的模型"),
    }
    for (model, label), style in zip(models.items(), ("o-", "s--"), strict=True):
        axes.plot(places, found[model]["error"], style, color=NAIVE, markersize=4, label=f"ECE, {label}")
        excess = say("less its null", "减去零分布均值")
        axes.plot(places, found[model]["excess"], style, color=OURS, markersize=4, label=f"{excess}, {label}")
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.axhline(0.05, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_xticks(places, [f"{count:,}" for count in found["items"]])
    axes.yaxis.set_major_formatter(lambda error, _: f"{100 * error:.0f}")
    axes.set_xlabel(say("items", "题目数"))
    axes.set_ylabel(say("points", "分"))
    axes.legend()
    return figure


def forgetting(say: Say) -> Figure:
    found = numbers("forgotten")
    figure, axes = canvas(2.6)
    places = range(len(found["stages"]))
    best = [100 * each for each in found["best"]]
    first = [100 * each for each in found["first"]]
    axes.plot(
        places, best, "o-", color=NAIVE, label=say("against the best stage so far", "与此前最好的阶段相比")
    )
    axes.plot(
        places, first, "o-", color=OURS, label=say("against the stage that taught it", "与刚学完的阶段相比")
    )
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.set_xticks(places, found["stages"])
    axes.set_xlabel(say("stages, after which all scores are equal in truth", "阶段数（各阶段真实得分相同）"))
    axes.set_ylabel(say("forgetting found, points", "测得的遗忘（分）"))
    axes.legend()
    return figure


def inflation(say: Say) -> Figure:
    found = numbers("inflation")
    figure, axes = canvas(2.6)
    for name, look, colour, label in (
        ("true", "--", QUIET, say("true inflation", "真实虚高")),
        ("estimate", "o-", NAIVE, say("estimate (mean)", "估计值（平均）")),
        ("least", "o-", OURS, say("what is told: at least (mean)", "报告值：至少（平均）")),
    ):
        axes.plot(
            found["share"],
            [100 * each for each in found[name]],
            look,
            color=colour,
            label=label,
            markersize=4,
        )
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(say("share of 400 items that were seen in training", "训练中见过的题目比例（共 400 题）"))
    axes.set_ylabel(say("points", "分"))
    axes.legend()
    return figure


def worst(say: Say) -> Figure:
    forms, groups = numbers("worst_forms"), numbers("worst_group")
    figure = Figure(figsize=(6.6, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = range(len(forms["forms"]))
    for name, colour, label in (
        ("corrected", OURS, say("chance given back", "补回偶然的损失")),
        ("worst", NAIVE, say("worst of all forms", "各种问法中最差的")),
    ):
        left.plot(places, [100 * each for each in forms[name]], "o-", color=colour, label=label)
    left.axhline(100 * forms["score"], color=QUIET, linewidth=0.8, linestyle="--")
    left.set_xticks(places, forms["forms"])
    left.set_ylim(0, 60)
    left.set_ylabel(say("score, points", "得分（分）"))
    left.set_xlabel(say("forms of each item, all alike to the model", "每题的问法数（对模型都一样）"))
    left.legend(loc="lower left")
    places = range(len(groups["groups"]))
    for name, colour, label in (
        ("plain", NAIVE, say("worst group, plain interval", "最差的组，普通区间")),
        ("corrected", OURS, say("corrected for all groups", "对所有组校正")),
    ):
        right.plot(places, groups[name], "o-", color=colour, label=label)
    right.axhline(0.05, color=QUIET, linewidth=0.8, linestyle="--")
    right.set_xticks(places, groups["groups"])
    right.set_ylim(bottom=0)
    right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    right.set_ylabel(say("boards with a false gap", "误报差距的榜单"))
    right.set_xlabel(say("equal groups of 50 items", "组数（各 50 题，完全相同）"))
    right.legend()
    return figure
