"""What the keys of a task file must say together: a kind, its keys and its metrics fit each other."""

from __future__ import annotations

from tianti.core.exceptions import TaskError, UnknownNameError
from tianti.tasks.kinds import KINDS
from tianti.tasks.metrics import MAJORITY_VOTE, PASS_AT
from tianti.tasks.task_file.keys import KEYS_OF_KINDS, PAIRED_KINDS
from tianti.tasks.task_file.task_file import TaskFile
from tianti.tasks.task_file.text_keys import KEYS_OF_TEXTS


def check_together(file: TaskFile, where: str) -> None:
    """Raise what is wrong first; `where` names the file.

    Raises:
        UnknownNameError: an unknown kind or metric.
        TaskError: a key that the kind lacks or does not read, or keys that contradict each other.
    """
    _check_kind(file, where)
    _check_pair(file, where)
    if isinstance(file.doc_to_choice, list) and len(set(file.doc_to_choice)) < len(file.doc_to_choice):
        raise TaskError(
            f"{where}: doc_to_choice names a choice twice: {file.doc_to_choice}", remedy="name it once"
        )
    _check_metrics(file, where)
    _check_repeats(file, where)
    _check_aspects(file, where)
    if file.augmentation and not file.generation_kwargs.do_sample:
        raise TaskError(
            f"{where}: augmentation writes several texts from one prompt, all the same at temperature 0",
            remedy="give generation_kwargs do_sample: true and a temperature",
        )


def _check_kind(file: TaskFile, where: str) -> None:
    kind = KINDS.get(file.kind)
    if kind is None:
        raise UnknownNameError("kind", file.kind, KINDS, where=where)
    for key in kind.needs:
        if key not in file.model_fields_set or getattr(file, key) is None:
            raise TaskError(f"{where}: key {key!r} is missing", remedy=f"a task of kind {kind.name} needs it")
    foreign = (key for key, kinds in (KEYS_OF_KINDS | KEYS_OF_TEXTS).items() if file.kind not in kinds)
    for key in (*kind.refuses, *foreign):
        if getattr(file, key) != TaskFile.model_fields[key].default:
            raise TaskError(
                f"{where}: key {key!r} means nothing for the kind {kind.name}", remedy="leave it out"
            )


def _check_metrics(file: TaskFile, where: str) -> None:
    kind = KINDS[file.kind]
    for item in file.metric_list:
        rule = kind.metrics.get(item.metric)
        if rule is None:
            raise UnknownNameError(
                "metric", item.metric, kind.metrics, where=f"{where}: metric_list of {kind.name}"
            )
        for key, found, expected in (
            ("aggregation", item.aggregation, rule.aggregation),
            ("higher_is_better", item.higher_is_better, rule.higher_is_better),
        ):
            if found is not None and found != expected:
                raise TaskError(
                    f"{where}: metric_list: {key} of {item.metric} is {expected!r} here, found {found!r}",
                    remedy=f"leave {key} out",
                )


def _check_pair(file: TaskFile, where: str) -> None:
    paired = file.kind in PAIRED_KINDS
    if paired and not (isinstance(file.head_text, list) and len(file.head_text) == 2):
        raise TaskError(
            f"{where}: head_text of {file.kind} expects two columns or templates, found {file.head_text!r}",
            remedy="write head_text: [first, second]",
        )
    if not paired and isinstance(file.head_text, list):
        raise TaskError(
            f"{where}: head_text of {file.kind} expects one text, found {file.head_text!r}",
            remedy=f"write one column or template, or kind: {PAIRED_KINDS[0]} for pairs of texts",
        )


def _check_aspects(file: TaskFile, where: str) -> None:
    rules = KINDS[file.kind].metrics
    for item in file.metric_list:
        key = rules[item.metric].needs
        if key and getattr(file, key) is None:
            raise TaskError(
                f"{where}: metric_list: {item.metric} needs the key {key!r}",
                remedy=f"give {key}, or leave it out",
            )
    if file.counterfactual and not any(rule.needs == "counterfactual" for rule in rules.values()):
        raise TaskError(
            f"{where}: counterfactual compares which choice is taken, and {file.kind} has none to compare",
            remedy="leave it out, or ask the task as one of choices: classification, multiple-choice",
        )
    if (file.perturbations or file.group) and file.base_metric is None:
        raise TaskError(
            f"{where}: robustness and fairness are of a metric that is a mean over samples, and metric_list has none",
            remedy=f"put one of {', '.join(KINDS[file.kind].default_metrics(file.language))} into it",
        )
    if file.perturbations and file.repeats > 1:
        raise TaskError(
            f"{where}: repeats and perturbations do not go together",
            remedy="leave repeats out: sampled answers are drawn as often as robustness needs",
        )


def _check_repeats(file: TaskFile, where: str) -> None:
    if file.repeats > 1 and not file.generation_kwargs.do_sample:
        raise TaskError(
            f"{where}: repeats: {file.repeats} answers to each sample, all the same at temperature 0",
            remedy="give generation_kwargs do_sample: true and a temperature, or leave repeats out",
        )
    # One answer that equals a right one is an exact match; one program that passes has no other name.
    least = 1 if file.kind == "code-generation" else 2
    needed = {MAJORITY_VOTE.name: 2} | {rule.name: max(k, least) for k, rule in PASS_AT.items()}
    for name in file.metric_names:
        if needed.get(name, 1) > file.repeats:
            raise TaskError(
                f"{where}: metric_list: {name} needs {needed[name]} answers to each sample, there are {file.repeats}",
                remedy=f"write repeats: {needed[name]}, or more for a better estimate",
            )
