"""The metrics of programs.

| name            | value of a sample                                                  | over a run |
|-----------------|--------------------------------------------------------------------|------------|
| `pass@k`        | chance that one of k of its programs passes all tests (`pass_at`)  | mean       |
| `valid_programs`| share of its answers that are programs at all                      | mean       |
"""

from __future__ import annotations

from tianti.tasks.metric_rule import MetricRule, mean

PASS_COUNTS = (1, 2, 4, 5, 8, 10, 16, 32, 64, 100)
PROGRAM_PASS_AT = {
    k: MetricRule(
        f"pass@{k}",
        mean,
        "mean",
        "chance that a program passes all tests" if k == 1 else f"chance that one of {k} programs does",
        scale="proportion" if k == 1 else "mean",
    )
    for k in PASS_COUNTS
}
VALID_PROGRAMS = MetricRule(
    "valid_programs", mean, "mean", "share of answers that are programs", scale="mean"
)
