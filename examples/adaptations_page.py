"""Writes the measured table of docs/reference/adaptations.md: what each adaptation brings and costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from real_data_page import machine, table

import tianti
from tianti.api import compare_entries
from tianti.board import Entry
from tianti.store import Run, Store

BEGIN, END = "<!-- measured by make examples -->", "<!-- end of what was measured -->"
HEAD = (
    "adaptation", "accuracy", "± 95 %", "gain over head-only", "trainable", "share", "seconds", "memory", "on disk",
)  # fmt: skip


def write_table(page: Path, store: Path, study: str) -> None:
    """Replace what stands between the marks of `page` by the results of `study`, a study of one model and one task."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{measured(store, study)}\n{END}{after}", encoding="utf-8")


def measured(store: Path, study: str) -> str:
    """The table, and what it was measured on."""
    board = tianti.load_board(store, study)
    entries = [entry for entry in board.entries if not entry.model.startswith("baseline:")]
    with Store(store) as opened:
        runs = [run for run in opened.runs(study) if run.state == "finished"]
    rows = table(HEAD, (row for entry in entries for row in _row(entry, runs, store, study)))
    seeds = len({run.manifest["seed"] for run in runs if run.manifest["seed"] is not None})
    examples = max(run.cost["adaptation"]["examples"] for run in runs)
    model = entries[0].model
    return (
        f"{model} on {board.columns[0].name}, trained on {examples:,} examples; seconds and memory are means over "
        f"{seeds} seeds, of training and choosing, with whatever else the machine did then. The gain is paired: "
        "the mean difference on the same samples.\n\n"
        f"{rows}\nMeasured on {machine(runs)}, by `tianti run examples/{study}.yaml`.\n"
    )


def _row(entry: Entry, runs: list[Run], store: Path, study: str) -> Iterator[tuple[str, ...]]:
    mine = [
        run for run in runs
        if (run.manifest["model"]["name"], run.manifest["adaptation"]["label"]) == (entry.model, entry.adaptation)
    ]  # fmt: skip
    (cell,) = entry.cells.values()
    if cell.value is None or cell.low is None or cell.high is None or not mine:
        return
    costs = [run.cost["adaptation"] for run in mine]
    trainable, total = costs[0]["trainable_parameters"], costs[0]["total_parameters"]
    yield (
        f"`{entry.adaptation}`",
        f"{cell.value:.3f}",
        f"{(cell.high - cell.low) / 2:.3f}",
        _gain(entry, store, study),
        f"{trainable:,}",
        f"{100 * trainable / total:.3g} %",
        f"{sum(cost['seconds'] for cost in costs) / len(costs):.0f}",
        f"{sum(run.cost['peak_memory_bytes'] for run in mine) / len(mine) / 2**20:,.0f} MB",
        _size(costs[0]["saved_bytes"]),
    )


def _gain(entry: Entry, store: Path, study: str) -> str:
    """The paired difference to head-only, in accuracy."""
    board = tianti.load_board(store, study)
    heads = [other for other in board.entries if (other.model, other.method) == (entry.model, "head-only")]
    if not heads or entry.name == heads[0].name:
        return ""
    (gain,) = compare_entries(store, entry.name, heads[0].name, study=study).tasks
    if gain.difference is None or gain.low is None or gain.high is None:
        return "none"
    return f"{gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:,.0f} kB"
