"""`tianti show RUN`: all that is known of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tianti.cli.options import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from tianti.evaluation.answer import Answer


def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or the beginning of it.")],
    store: StoreOption = DEFAULT_STORE,
    answers: Annotated[int, typer.Option("--answers", help="Print so many answers too.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Print a run: scores, settings, prompts, versions, hardware, cost, and the command that repeats it."""
    from tianti.adapt.search import said
    from tianti.cli.tables import print_facts
    from tianti.store import open_store
    from tianti.study import repeat_command

    with open_store(store) as opened:
        found = find_run(opened.runs(), run)
        facts: dict[str, Any] = {
            "run": found.run_id,
            "trial": found.trial_id,
            "state": found.state,
            "reason": found.reason,
            "repeat it": repeat_command(found.manifest),
            "scores": {score.metric: _score(score) for score in opened.scores(found.run_id)},
            "templates": found.cost.get("templates", {}),
            "answers": found.answers_count,
            "errors": found.errors_count,
            "skipped": found.skipped_count,
            "no answer found": _no_answer_found(found.manifest, opened.answers(found.run_id)),
            "search": [said(each) for each in found.cost.get("adaptation", {}).get("tried", ())],
            "manifest": found.manifest,
            "cost": found.cost,
            "environment": found.environment,
            "started": found.started_at,
            "finished": found.finished_at,
            "attempts": found.attempts,
        }
        if answers:
            known = opened.explanations(found.run_id)
            facts["samples"] = {
                answer.sample_id: asdict(answer) | _explained(known.get((answer.sample_id, answer.repeat)))
                for answer in opened.answers(found.run_id)[:answers]
            }
    print_facts(facts, as_json=as_json)


def _no_answer_found(manifest: Mapping[str, Any], answers: Sequence[Answer]) -> int | None:
    """In how many chains of thought, or votes of several, there was no answer: they count as wrong.

    None where no chain is written.
    """
    from tianti.adapt.chain_of_thought import ChainOfThought, SelfConsistency

    adaptation = manifest["adaptation"]
    last = adaptation["settings"].get("steps", [adaptation])[-1]
    if last["name"] not in (ChainOfThought.name, SelfConsistency.name):
        return None
    return sum(answer.state == "ok" and not answer.prediction for answer in answers)


def _explained(known: dict[str, Any] | None) -> dict[str, Any]:
    """What `tianti explain` found for a sample, if it was asked."""
    return {} if known is None else {"explanation": known}


def find_run(runs: list[Any], beginning: str) -> Any:
    """The run whose id, or whose trial's, begins so; of several of one trial the last."""
    from tianti.core.exceptions import InputError, UnknownNameError

    matching = [run for run in runs if run.run_id.startswith(beginning) or run.trial_id.startswith(beginning)]
    if not matching:
        raise UnknownNameError(
            "run", beginning, [run.run_id for run in runs], remedy="`tianti board --json` lists runs"
        )
    if len({run.trial_id for run in matching}) > 1:
        raise InputError(
            f"{len(matching)} runs begin with {beginning!r}", remedy="give more of the id: "
            + ", ".join(run.run_id for run in matching[:5]),
        )  # fmt: skip
    return matching[-1]


def _score(score: Any) -> dict[str, Any]:
    return {
        key: getattr(score, key)
        for key in ("value", "low", "high", "level", "method", "n", "clusters", "errors", "skipped", "chance")
    }
