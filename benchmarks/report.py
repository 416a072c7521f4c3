"""What was measured, as lines, as the tables of BENCHMARKS.md, and as JSON."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from measure import Growth, Row, planning_share

from tianti.core.environment import environment

NOT_REPORTED = "not reported"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Memory:
    """Bytes at the peak above those of the loaded model; None where they could not be measured."""

    model: str
    shape: str
    rows: int
    """The harness's batch size."""
    ours: int | None
    harness: int | None


@dataclass
class Results:
    """Everything that a run measured."""

    command: str
    dtype: str
    device: str
    repeat: int
    peak: float | None = None
    """The device's peak in floating-point operations a second, where it is known."""
    models: dict[str, str] = field(default_factory=dict)
    """The parameters of each model, in words."""
    rows: list[Row] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        """Whether both sides gave the same answers throughout."""
        return all(row.agreement.agree for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """All numbers, with where they were measured."""
        return {**asdict(self), "agree": self.agree, "environment": environment()}

    def as_markdown(self) -> str:
        """The tables of BENCHMARKS.md under what they were measured on."""
        parts = [self._conditions()]
        if self.rows:
            parts.append(table(HEADINGS, ALIGNED, (row_cells(row, self.peak) for row in self.rows)))
        if self.growth:
            parts.append(table(GROWTH, GROWTH_ALIGNED, growth_cells(self.growth)))
        if self.memory:
            parts.append(table(MEMORY, MEMORY_ALIGNED, map(memory_cells, self.memory)))
        return "\n\n".join(parts)

    def _conditions(self) -> str:
        where = environment()
        versions = where["versions"]
        names = ("tianti", "torch", "transformers", "lm_eval")
        device = ", ".join(where["accelerators"]) if self.device != "cpu" else where["processor"]
        lines = [
            f"- {device}, {where['cores']} cores, {where['memory_bytes'] / 2**30:.0f} GiB, {where['platform']}",
            f"- {self.dtype}, threads: {where['threads']}, medians of {self.repeat}",
            "- " + ", ".join(f"{name} {versions[name]}" for name in names if name in versions),
            *(f"- {model}: {parameters}" for model, parameters in self.models.items()),
            f"- `{self.command}`",
        ]
        return "\n".join(lines)


HEADINGS = (
    "Model", "Shape", "Questions", "Distinct tokens", "HFLM reads", "HFLM batch", "Ours (s)", "HFLM (s)", "Limit (s)",
    "Tokens/s", "HFLM / ours", "Limit / ours", "Planning", "Of peak", "Largest difference",
)  # fmt: skip
ALIGNED = "llrrrrrrrrrrrrr"
GROWTH = ("Model", "Questions", "Ours (s)", "ms a question", "Planning")
GROWTH_ALIGNED = "lrrrr"
MEMORY = ("Model", "Shape", "HFLM batch", "Ours (MiB)", "HFLM (MiB)", "HFLM / ours")
MEMORY_ALIGNED = "llrrrr"


def row_cells(row: Row, peak: float | None) -> list[str]:
    """The cells of a row under `HEADINGS`."""
    agreement = row.agreement
    if row.work.written:
        difference = f"{agreement.equal} of {agreement.of} texts equal"
    else:
        difference = f"{agreement.largest:.1e} of {agreement.allowed:.1e}"
    return [
        row.model,
        row.shape,
        f"{row.questions:,}",
        f"{row.work.tokens:,}",
        f"{row.work.apart + row.work.tokens - row.work.distinct:,}",
        str(row.rows),
        seconds(row.seconds),
        seconds(statistics.median(row.harness)),
        seconds(statistics.median(row.limit)),
        f"{row.tokens_a_second:,.0f}",
        f"{row.ratio:.2f}",
        f"{row.of_limit:.2f}",
        share(planning_share(row.facts)),
        "–" if peak is None else f"{row.operations / row.seconds / peak:.1%}",
        difference + ("" if agreement.agree else " **DISAGREE**"),
    ]


def growth_cells(growth: Iterable[Growth]) -> list[list[str]]:
    """The cells of rows under `GROWTH`."""
    return [
        [
            those.model,
            f"{those.questions:,}",
            seconds(those.seconds),
            f"{those.seconds / those.questions * 1000:.3f}",
            share(those.planning),
        ]
        for those in growth
    ]


def memory_cells(memory: Memory) -> list[str]:
    """The cells of a row under `MEMORY`."""
    ratio = (
        NOT_MEASURED
        if memory.ours is None or memory.harness is None
        else f"{memory.harness / max(1, memory.ours):.2f}"
    )
    return [
        memory.model,
        memory.shape,
        str(memory.rows),
        mebibytes(memory.ours),
        mebibytes(memory.harness),
        ratio,
    ]


def seconds(value: float) -> str:
    """Seconds in three digits."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def share(value: float | None) -> str:
    """A share in percent."""
    return NOT_REPORTED if value is None else f"{value:.1%}"


def mebibytes(value: int | None) -> str:
    """Bytes in MiB."""
    return NOT_MEASURED if value is None else f"{value / 2**20:,.0f}"


def table(headings: Sequence[str], aligned: str, rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; `aligned` has an l or an r for each column."""
    line = ["--:" if where == "r" else "---" for where in aligned]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, line, *rows))
