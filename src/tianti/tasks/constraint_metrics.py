"""The metrics of texts that must keep constraints.

| name               | value of a sample                                  | over a run                        |
|--------------------|----------------------------------------------------|-----------------------------------|
| `all_kept`         | 1 if the text keeps all its constraints, else 0    | mean                              |
| `share_kept`       | [constraints kept, constraints]                    | Σ kept / Σ constraints            |
| `all_kept_loose`   | as `all_kept`, and see below                       | mean                              |
| `share_kept_loose` | as `share_kept`, and see below                     | Σ kept / Σ constraints            |

These are the four accuracies of IFEval (Zhou et al. 2023, "Instruction-Following Evaluation for Large Language
Models"), by prompt and by instruction, strict and loose. Loose: a constraint counts as kept, too, where the text keeps
it without its first line, without its last, without both, or any of these without asterisks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tianti.tasks.dialogue_metrics import per_unit
from tianti.tasks.metric_rule import MetricRule, mean

Check = Callable[[str], bool]


def kept(text: str, checks: Sequence[Check]) -> list[bool]:
    """For each constraint whether the text keeps it; an empty text keeps none."""
    return [bool(text.strip()) and check(text) for check in checks]


def kept_loosely(text: str, checks: Sequence[Check]) -> list[bool]:
    """For each constraint whether the text, or one of its shorter forms, keeps it."""
    forms = loose_forms(text)
    return [any(form.strip() and check(form) for form in forms) for check in checks]


def loose_forms(text: str) -> list[str]:
    """The text, and without first line, last line, or both; each of them again without asterisks."""
    lines = text.split("\n")
    shorter = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    return [form for each in (text, *shorter) for form in (each, each.replace("*", ""))]


def constraint_values(text: str, checks: Sequence[Check]) -> dict[str, float | list[int]]:
    """All values of one text; `checks` are its constraints, at least one."""
    strict, loose = kept(text, checks), kept_loosely(text, checks)
    return {
        "all_kept": float(all(strict)),
        "share_kept": [sum(strict), len(strict)],
        "all_kept_loose": float(all(loose)),
        "share_kept_loose": [sum(loose), len(loose)],
    }


CONSTRAINT_METRICS = (
    MetricRule("all_kept", mean, "mean", "share of texts that keep all their constraints"),
    MetricRule("share_kept", per_unit, "per_unit", "share of constraints that are kept", scale="ratio"),
    MetricRule("all_kept_loose", mean, "mean", "share of texts that keep all their constraints, loosely"),
    MetricRule(
        "share_kept_loose", per_unit, "per_unit", "share of constraints that are kept, loosely", scale="ratio"
    ),
)
