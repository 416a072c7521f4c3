"""What the results and the samples of lm-evaluation-harness have in common: names of metrics and of models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tianti.board.importers.form import CHAT
from tianti.core.wording import counted
from tianti.tasks.harness_metrics import RANKING

NAME = "lm-eval"
LOWER_IS_BETTER = frozenset(
    {
        "perplexity",
        "word_perplexity",
        "byte_perplexity",
        "bits_per_byte",
        "ppl",
        "ter",
        "wer",
        "cer",
        "brier_score",
    }
)
RATIOS = frozenset({"perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "ppl"})
"""Metrics that are no mean over samples and have no place between guessing and perfect."""


def ranking_metric(names: Iterable[str]) -> str | None:
    """The metric that ranks: of those that tianti ranks tasks of the harness by the first, else the first there is."""
    given = list(names)
    order = [*RANKING, "mc2"]

    def place(name: str) -> int:
        base = name.partition("@")[0]
        return order.index(base) if base in order else len(order)

    return min(given, key=place, default=None)


def arguments_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The arguments of the model: a mapping, or a text such as `pretrained=org/name,dtype=auto`."""
    given = config.get("model_args")
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    parts = [part.partition("=") for part in str(given or "").split(",")]
    return {name.strip(): value.strip() for name, equals, value in parts if equals}


def model_name(content: Mapping[str, Any], path: Path) -> str | None:
    """The model that a results file is about, from what it says or from the names that the harness gives files."""
    config = content.get("config")
    arguments = arguments_of(config) if isinstance(config, Mapping) else {}
    given = (
        content.get("model_name"),
        arguments.get("pretrained"),
        arguments.get("model"),
        content.get("model"),
    )
    for name in given:
        if isinstance(name, str) and name:
            return name
    return name_of_path(path)


def name_of_path(path: Path) -> str | None:
    """`org/name` where the folder is called `org__name`, or the file `…_org__name_results_….json`."""
    for text in (path.parent.name, path.name):
        found = re.search(
            r"(?:^|_)([A-Za-z0-9.-]+)__([A-Za-z0-9.-]+(?:_(?!results|samples)[A-Za-z0-9.-]+)*)", text
        )
        if found:
            return f"{found[1]}/{found[2]}".removesuffix(".json").removesuffix(".jsonl")
    return None


def who(content: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The columns that say who answered, but for the shots."""
    raw = content.get("config")
    config: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    arguments = arguments_of(config)
    revision = config.get("model_sha") or config.get("model_revision") or arguments.get("revision")
    adapter = [f"adapter {arguments['peft']}"] if arguments.get("peft") else []
    chat = [CHAT] if content.get("chat_template") else []
    parameters = config.get("model_num_parameters")
    return {
        "model": model,
        "revision": str(revision) if revision else None,
        "variant": ", ".join(adapter + chat) or None,
        "parameters": parameters if isinstance(parameters, int) and parameters > 0 else None,
    }


def shots_of(content: Mapping[str, Any], task: str) -> int | None:
    """How many examples stood before each question of a task; None where the file does not say."""
    by_task, config = content.get("n-shot"), content.get("config")
    given = by_task.get(task) if isinstance(by_task, Mapping) else None
    leaves = _leaves(content.get("group_subtasks"), task)
    if leaves and isinstance(by_task, Mapping):
        # What stands there for a group is 0, whatever its tasks were asked with.
        below = {by_task.get(leaf) for leaf in leaves}
        given = below.pop() if len(below) == 1 else None
    if given is None and isinstance(config, Mapping):
        given = config.get("num_fewshot")
    if given is None:
        given = content.get("num_fewshot")
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**31 else None


def _leaves(groups: Any, task: str, above: tuple[str, ...] = ()) -> set[str]:
    """The tasks that a group is made of in the end; empty for a task that is no group."""
    children = groups.get(task) if isinstance(groups, Mapping) else None
    found: set[str] = set()
    for child in children if isinstance(children, list) else ():
        if child not in above:
            found |= _leaves(groups, str(child), (*above, task)) or {str(child)}
    return found


def samples_of(content: Mapping[str, Any], task: str) -> tuple[int | None, int | None]:
    """How many samples a task has, and how many were asked; None where the file does not say."""
    by_task = content.get("n-samples")
    given = by_task.get(task) if isinstance(by_task, Mapping) else None
    if not isinstance(given, Mapping):
        return None, None
    numbers = [given.get(name) for name in ("original", "effective")]
    whole, asked = (each if isinstance(each, int) and each > 0 else None for each in numbers)
    return whole, asked


def part_of_task(asked: int | None, whole: int | None) -> str:
    """What is said of a score that is of some of the samples; empty where it is of all, or nobody knows."""
    return f"{asked:,} of {counted(whole, 'sample')}" if asked and whole and asked < whole else ""


def version_of(content: Mapping[str, Any], task: str) -> str | None:
    """The version of a task, as text: 1 and 1.0 are the same."""
    versions = content.get("versions")
    given = versions.get(task) if isinstance(versions, Mapping) else None
    if given is None:
        return None
    return f"{given:g}" if isinstance(given, int | float) else str(given)


def higher_is_better(content: Mapping[str, Any], task: str, metric: str) -> bool:
    """What the file says, else what is known of the metric."""
    base = metric.partition("@")[0]
    by_task = content.get("higher_is_better")
    given = by_task.get(task) if isinstance(by_task, Mapping) else None
    said = given.get(base) if isinstance(given, Mapping) else None
    return said if isinstance(said, bool) else base not in LOWER_IS_BETTER
