"""What is said of a study when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tianti.adapt import label
from tianti.core.wording import counted

if TYPE_CHECKING:
    from tianti.conductor import Outcome
    from tianti.store import Store


def print_summary(outcomes: Sequence[Outcome], store: Store, console: Console) -> None:
    """How many trials were measured now, found from before, or not measured and why; and what became of answers."""
    count = Counter(outcome.state for outcome in outcomes)
    trials = counted(len(outcomes), "trial")
    if count["found"] == len(outcomes):
        line = f"{trials}, finished before: nothing to do."
    else:
        line = f"{trials}: {count['measured']} measured, {count['found']} found finished."
    _say(console, line + _unusable(outcomes, store))
    for alike in _by_reason(outcomes):
        _say(console, _not_measured(alike))
    for outcome in outcomes:
        if nothing_answered(outcome):
            _say(console, f"no answer to score: {outcome.trial.title}: all {_reasons([outcome], store)}")


def _by_reason(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """What was not measured, a model's trials with the same reason together: a board of many tasks has dozens."""
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.state in ("refused", "failed"):
            key = (outcome.state, outcome.trial.model.name, _bare_reason(outcome))
            groups.setdefault(key, []).append(outcome)
    return list(groups.values())


def _bare_reason(outcome: Outcome) -> str:
    """The reason without the part that names the trial's own task."""
    named, _, bare = outcome.reason.partition(": ")
    return bare if bare and outcome.trial.task.info.name in named else outcome.reason


def _not_measured(alike: Sequence[Outcome]) -> str:
    first = alike[0]
    if len(alike) == 1:
        return f"not measured ({first.state}): {first.trial.title}: {first.reason}"
    adaptations = ", ".join(dict.fromkeys(label(outcome.trial.adaptation) for outcome in alike))
    tasks = ", ".join(dict.fromkeys(outcome.trial.task.info.name for outcome in alike))
    return (
        f"not measured ({first.state}, {len(alike)} trials): {first.trial.model.name} · {adaptations} · {tasks}: "
        f"{_bare_reason(first)}"
    )


def nothing_answered(outcome: Outcome) -> bool:
    """Whether a trial was run and gave no answer that can be scored."""
    run = outcome.run
    usable = run.answers_count - run.errors_count - run.skipped_count
    return outcome.state in ("found", "measured") and usable == 0


def print_next(outcomes: Sequence[Outcome], console: Console, store: Path) -> None:
    """The commands that look closer."""
    runs = [outcome.run.run_id for outcome in outcomes if outcome.state in ("found", "measured")]
    where = "" if store == Path("tianti-store") else f" --store {store}"
    if runs:
        _say(console, f"Look closer: tianti show {runs[-1]}{where}")
        _say(console, f"As a site:   tianti export DIR{where}")


def _unusable(outcomes: Sequence[Outcome], store: Store) -> str:
    """How many of all answers are errors or skipped, each with the reason that most of them have."""
    reasons = _reasons(outcomes, store)
    total = sum(outcome.run.answers_count for outcome in outcomes)
    return f" Of {counted(total, 'answer')} {reasons}." if reasons else ""


def _reasons(outcomes: Sequence[Outcome], store: Store) -> str:
    reasons: dict[str, Counter[str]] = {"error": Counter(), "skipped": Counter()}
    for outcome in outcomes:
        if outcome.run.errors_count or outcome.run.skipped_count:
            for answer in store.answers(outcome.run.run_id):
                if answer.state != "ok":
                    reasons[answer.state][answer.reason] += 1
    parts = []
    for found, words in (
        (reasons["error"], ("an error", "errors")),
        (reasons["skipped"], ("skipped", "skipped")),
    ):
        if found:
            number, (reason, most) = found.total(), found.most_common(1)[0]
            often = "" if most == number else f"{most:,} of them: "
            verb = f"is {words[0]}" if number == 1 else f"are {words[1]}"
            parts.append(f"{number:,} {verb} ({often}{reason})")
    return " and ".join(parts)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)
