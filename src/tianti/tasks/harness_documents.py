"""What a document of lm-evaluation-harness says: its choices, its right answer, its training example."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from tianti.core.exceptions import TaskError
from tianti.tasks.task import Example

_SCRIPTS = (("ja", r"[\u3040-\u30ff]"), ("ko", r"[\uac00-\ud7af]"), ("zh", r"[\u4e00-\u9fff]"))


def guess_language(text: str) -> str:
    """The language, where the script alone says it (Japanese, Korean, Chinese); otherwise empty."""
    return next((language for language, letters in _SCRIPTS if re.search(letters, text)), "")


def choices_of(task: Any, document: Any) -> tuple[str, ...]:
    """The choices in their order; empty where the task has none."""
    if task.OUTPUT_TYPE != "multiple_choice":
        return ()
    return tuple(task.doc_to_choice(document))


def right_choices(task: Any, document: Any, choices: tuple[str, ...]) -> list[int]:
    """The indices of the right choices; empty where the data does not tell (an unlabelled test split)."""
    gold = task.doc_to_text(document) if task.multiple_input else task.doc_to_target(document)
    labels = gold if isinstance(gold, list) else [gold]
    indices = [choices.index(label) if label in choices else label for label in labels]
    return [index for index in indices if isinstance(index, int) and 0 <= index < len(choices)]


def guessing(task: Any, documents: Iterable[Any]) -> float:
    """The accuracy of a guess at a task of choices: the mean share of right choices among all, over the documents."""
    shares = []
    for document in documents:
        choices = choices_of(task, document)
        right = len(set(right_choices(task, document, choices))) if getattr(task, "multiple_target", 0) else 1
        shares.append(right / len(choices))
    return float(np.mean(shares))


def target_text(task: Any, document: Any) -> str:
    """The right answer as a reader wants to see it; several are joined by ` | `."""
    if choices := choices_of(task, document):
        return " | ".join(choices[index] for index in right_choices(task, document, choices))
    target = task.doc_to_target(document)
    return " | ".join(map(str, target)) if isinstance(target, list | tuple) else str(target)


def example_of(task: Any, document: Any, where: str) -> Example:
    """A labelled document as a training example, in the form in which the task asks without shots.

    Raises:
        TaskError: the document has no right answer.
    """
    context = task.fewshot_context(document, 0, gen_prefix=task.doc_to_prefix(document))
    if choices := choices_of(task, document):
        return _choice_example(task, document, context, choices, where)
    target = task.doc_to_target(document)
    text = str(target[0] if isinstance(target, list | tuple) and target else target)
    match task.OUTPUT_TYPE:
        case "loglikelihood_rolling":
            return Example(context="", continuation=text, text=text, target="")
        case "loglikelihood":
            return Example(context, text, text=context, target=text)
        case _:
            return Example(context, _delimiter(task, document, text) + text, text=context, target=text)


def _choice_example(
    task: Any, document: Any, context: str | list[str], choices: tuple[str, ...], where: str
) -> Example:
    right = right_choices(task, document, choices)
    if not right:
        raise TaskError(f"{where}: its label names none of the choices {', '.join(map(repr, choices))}")
    delimiter = task.config.target_delimiter
    if isinstance(context, list):
        # The choices stand in the contexts, and one continuation follows them all: nothing for a head to choose.
        ending = delimiter + str(task.doc_to_target(document))
        return Example(context[right[0]], ending, text=context[right[0]], target=choices[right[0]])
    answer = choices[right[0]]
    return Example(context, delimiter + answer, text=context, target=answer, choices=choices, label=right[0])


def _delimiter(task: Any, document: Any, target: str) -> str:
    """What stands between a shot's question and its answer; nothing where the answer brings its own space."""
    if target[:1].isspace():
        return ""
    if prefix := task.doc_to_prefix(document):
        return "" if prefix[-1].isspace() else " "
    delimiter: str = task.config.target_delimiter
    return delimiter
