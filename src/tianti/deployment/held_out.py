"""Test samples in the data of an update: who learns the answers by heart passes any test of what was kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tianti.core.exceptions import InputError
from tianti.deployment.data import NewData, line_numbers
from tianti.engine import ChooseRequest, GenerateRequest, RollingRequest, ScoreRequest
from tianti.evaluation.contamination import texts_of
from tianti.tasks import Task
from tianti.tasks.overlap import same_texts
from tianti.tasks.task import Shots
from tianti.tasks.yaml_task import YamlTask

NAMED = 50
"""So many places in a file are named."""
_EVERY_REQUEST = frozenset({ScoreRequest, GenerateRequest, RollingRequest, ChooseRequest})


def check_held_out(new: NewData, old: Sequence[Task], data: Path | None) -> None:
    """Raise InputError where what is to be learned holds test samples of a task that the entry is asked.

    A test sample is its question and a right answer, but for case, punctuation and spaces. All of the test split
    counts, not only what a limit lets be asked. Training examples that an old task had before are not looked at: the
    entry has learned from that split already.

    Args:
        data: the file that the last `new.examples` of what is learned came in; None where they are the task's own.
    """
    learned = _learned(new.task)
    came, own = learned[-new.examples :], learned[: -new.examples]
    parts, asked = [(data, came)], [*old]
    if new.extends is None:
        parts.append((None, own))
        asked.append(new.task)
    found, where = [], ""
    for task in asked:
        tests = [text for texts in _asked(task) for text in texts]
        for source, part in parts:
            rows = np.flatnonzero(same_texts(part, tests, task.info.language)).tolist()
            if rows:
                found.append(f"{_which(new.task, source, rows, len(part))} of {task.info.name}")
                where = str(source or new.task.info.reference or new.task.info.name)
    if found:
        raise InputError(
            "; ".join(found),
            remedy=f"remove them from {where}: who has learned the answers passes any test; or --allow-overlap learns "
            "them all the same, and what comes of it says so",
        )


def _which(new: Task, source: Path | None, rows: Sequence[int], total: int) -> str:
    """`new.jsonl: lines 3, 7–12 (7 of 60 rows) are test samples, question and right answer,`."""
    lines = line_numbers(source) if source else []
    numbers = [lines[row] if lines else row + 1 for row in rows]
    noun = "line" if lines else "row" if source else "training example"
    plural, verb = ("", "is a test sample") if len(rows) == 1 else ("s", "are test samples")
    return (
        f"{source or new.info.name}: {noun}{plural} {_runs(numbers)} ({len(rows):,} of {total:,}) {verb}, "
        "question and right answer,"
    )


def _runs(numbers: Sequence[int]) -> str:
    """Numbers in rising order, those that follow each other as one: `3, 7–12`."""
    starts = [0, *(place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1] + 1)]
    ends = [*(start - 1 for start in starts[1:]), len(numbers) - 1]
    runs = [
        f"{numbers[start]}" if start == end else f"{numbers[start]}–{numbers[end]}"
        for start, end in zip(starts, ends, strict=True)
    ]
    return ", ".join(runs[:NAMED]) + (", …" if len(runs) > NAMED else "")


def _learned(task: Task) -> list[list[str]]:
    """The training examples: question and answer as one text, once for each right answer."""
    if isinstance(task, YamlTask):
        return _samples(task, "train")
    return [[f"{example.context} {example.continuation}"] for example in task.examples("train")]


def _asked(task: Task) -> list[list[str]]:
    """The test samples, in the same form."""
    if isinstance(task, YamlTask):
        return _samples(task, task.split)
    questions = task.questions(Shots(), _EVERY_REQUEST)
    return [texts_of(question.prompt, question.target) for question in questions]


def _samples(task: YamlTask, split: str) -> list[list[str]]:
    return [
        [f"{sample.description}{sample.text} {target}" for target in sample.form.targets]
        for sample in task.samples(split)
    ]
