"""Simultaneous ranks of many entries: CPU seconds and memory, beside the one matrix product that cannot be spared.

    python benchmarks/ranks.py [--entries 200,1000,5000] [--items 10000] [--repeat 3] [--max-t] [--quick]

product  X·Xᵀ of the 0/1 answers in single precision: how often two entries are right together
holm     p-values of all ordered pairs and the rank intervals by Holm's correction
one more p-values of one further entry where the others' are at hand; then the rank intervals of all
max-t    the same by the joint distribution (2,000 draws), which takes a product of its own and the draws

Each size is a process of its own with one thread, so that its peak memory is known. Answers are 0/1, items of differing
difficulty, accuracies of 30 to 80 %.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

LIMIT_SECONDS, LIMIT_BYTES = 10.0, 2e9
"""Of 5,000 entries × 10,000 items."""


def measure(entries: int, items: int, repeat: int, with_max_t: bool) -> dict[str, Any]:
    """One size in this process."""

    from tianti.stats import (
        TaskMatrix,
        max_t_intervals,
        p_values_of,
        pairwise_p_values,
        rank_intervals,
        with_entry,
    )

    answers = simulate(entries + 1, items)
    tasks, grown = [TaskMatrix(answers[:-1])], [TaskMatrix(answers)]
    product = product_seconds(answers[:-1], repeat)
    holm, p = timed(lambda: rank_intervals(pairwise_p_values(tasks)), repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    p = pairwise_p_values(tasks)
    ranks = rank_intervals(p)
    new, (row, column) = timed(lambda: p_values_of(grown, entries), repeat)
    again, _ = timed(lambda: rank_intervals(with_entry(p, row, column)), repeat)
    found = {
        "entries": entries, "items": items, "product": product, "holm": holm, "one_more": new,
        "one_more_ranks": again, "peak_bytes": peak, "width": float((ranks.high - ranks.low).mean()),
    }  # fmt: skip
    if with_max_t:
        found["max_t"], drawn = timed(lambda: max_t_intervals(tasks, seed=0), 1)
        found["max_t_width"] = float((drawn.high - drawn.low).mean())
    return found


def product_seconds(answers: Any, repeat: int) -> float:
    """CPU seconds of the product of the answers with themselves."""
    import numpy as np

    single = answers.astype(np.float32)
    return timed(lambda: single @ single.T, repeat)[0]


def simulate(entries: int, items: int) -> Any:
    """0/1 answers (entries, items) by a two-parameter model with equal discrimination."""
    import numpy as np

    generator = np.random.default_rng(0)
    accuracies = np.sort(generator.uniform(0.3, 0.8, entries))[::-1]
    easy = generator.normal(size=items).astype(np.float32)
    answers = np.empty((entries, items), np.uint8)
    for row, accuracy in zip(answers, accuracies, strict=True):
        chance = 1 / (1 + np.exp(-(np.log(accuracy / (1 - accuracy)) * 1.2 + easy)))
        row[:] = generator.random(items, dtype=np.float32) < chance
    return answers


def timed(work: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """The median CPU seconds of `work`, and what it gave last."""
    seconds, found = [], None
    for _ in range(repeat):
        del found
        started = time.process_time()
        found = work()
        seconds.append(time.process_time() - started)
    return median(seconds), found


def report(rows: list[dict[str, Any]]) -> str:
    """The table of BENCHMARKS.md."""
    lines = [
        "| Entries × items | Product (CPU s) | Ranks by Holm (CPU s) | Ranks / product | Peak memory (GB) "
        "| One more entry (CPU s) | … and the ranks of all (CPU s) "
        "| Mean width (ranks) | max-T (CPU s) | Its mean width |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row in rows:
        max_t = f"{row['max_t']:.1f} | {row['max_t_width']:.0f}" if "max_t" in row else "not measured | "
        lines.append(
            f"| {row['entries']:,} × {row['items']:,} | {row['product']:.2f} | {row['holm']:.2f} | "
            f"{row['holm'] / row['product']:.1f} | {row['peak_bytes'] / 1e9:.2f} | {row['one_more']:.3f} | "
            f"{row['one_more_ranks']:.3f} | {row['width']:.0f} | {max_t} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", default="200,1000,5000", help="sizes, separated by commas")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--max-t", action="store_true", help="max-T too")
    parser.add_argument("--quick", action="store_true", help="50 and 100 entries × 500 items, once")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.quick:
        given.entries, given.items, given.repeat = "50,100", 500, 1
    if given.one is not None:
        print(json.dumps(measure(given.one, given.items, given.repeat, given.max_t)))
        return
    rows = []
    for entries in map(int, given.entries.split(",")):
        command = [sys.executable, __file__, "--one", str(entries), "--items", str(given.items)]
        command += ["--repeat", str(given.repeat), *(["--max-t"] if given.max_t else [])]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(ended.stderr)
        rows.append(json.loads(ended.stdout))
    print(report(rows))
    for row in rows:
        if row["entries"] == 5000 and row["items"] == 10_000:
            print(
                f"\n5,000 × 10,000: {row['holm'] / LIMIT_SECONDS:.2f} of the {LIMIT_SECONDS:.0f} CPU seconds allowed, "
                f"{row['peak_bytes'] / LIMIT_BYTES:.2f} of the {LIMIT_BYTES / 1e9:.0f} GB"
            )


if __name__ == "__main__":
    main()
