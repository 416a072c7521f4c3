"""Reported scores for the terminal: for each benchmark the models, side by side the ways of adapting them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.board.reported.layout import by_model, by_task, cell_text, methods_of
from tianti.board.reported.scores import ReportedScore

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "reported, not measured here",
        "task": "benchmark",
        "metric": "metric",
        "model": "model",
        "legend": "Published figures in points, each from the text that is cited; what stands behind a semicolon was "
        "asked otherwise, what stands behind a slash disagrees. Behind k the number of examples; (dev), (val): "
        "not the test set.",
        "unranked": "No ranks, no intervals: there are no answers to single samples, and prompts differ from text to "
        "text. They are never averaged or tested with what was measured here.",
        "sources": "Sources: name a benchmark or a model (--task, --model), or print all of it with --json.",
        "quoted": "as quoted",
        "quoted_in": "as quoted in {text}",
    },
    "zh": {
        "title": "文献报告值，并非在此测得",
        "task": "基准",
        "metric": "指标",
        "model": "模型",
        "legend": "均为已发表的分数（百分制），各有出处；分号之后是以另一种方式提问所得，斜杠之后是与之不一致的数值。"
        "k 为示例数；(dev)、(val) 表示不是测试集。",
        "unranked": "没有名次，也没有区间：缺少逐题的回答，各文所用的提示也不相同。"
        "它们从不与在此测得的结果一起平均或检验。",
        "sources": "出处：用 --task 或 --model 指明一个基准或模型，或用 --json 输出全部。",
        "quoted": "转引",
        "quoted_in": "转引自 {text}",
    },
}


def render_reported(
    scores: Sequence[ReportedScore], language: str = "en", *, sources: bool = False
) -> RenderableType:
    """The table; with `sources` below it where each figure stands.

    Benchmarks that most models have come first; the models of each are ordered by their highest figure, which is
    how one reads a table and no rank.
    """
    words = WORDS[language]
    table = Table(box=None, padding=(0, 1), header_style="bold", title=words["title"], title_justify="left")
    for name in ("task", "metric", "model"):
        table.add_column(words[name], overflow="fold")
    methods = methods_of(scores)
    for method in methods:
        table.add_column(method, overflow="fold")
    for (task, metric), found in by_task(scores):
        for number, (model, own) in enumerate(by_model(found)):
            cells = [cell_text(own, method) for method in methods]
            table.add_row(*map(Text, ["" if number else task, "" if number else metric, model, *cells]))
    notes = [words["legend"], words["unranked"]] + ([] if sources else [words["sources"]])
    below = ["", *_sources(scores, words)] if sources else []
    return Group(table, "", *(Text(line, style="dim") for line in notes), *map(Text, below))


def _sources(scores: Sequence[ReportedScore], words: Mapping[str, str]) -> Iterable[str]:
    for (task, metric), found in by_task(scores):
        for model, own in by_model(found):
            for score in own:
                where = [score.citation, score.url]
                if score.status == "quoted":
                    quoted = words["quoted_in"].format(text=score.quoted_in)
                    where.append(quoted if score.quoted_in else words["quoted"])
                elif score.quoted_in:
                    where.append(words["quoted_in"].format(text=score.quoted_in))
                where += [score.note] if score.note else []
                yield f"{task} · {metric} · {model} · {score.adaptation}: {score.score:g}; {'; '.join(where)}"
