"""How labels in the data are read, where they are numbers."""

from __future__ import annotations

from tianti.tasks.data import columns
from tianti.tasks.task import Task
from tianti.tasks.yaml_task import YamlTask


def numbered_labels(task: Task) -> str:
    """What the numbers of the label column stand for, to be told; empty where labels are written out.

    A number that is none of the choices is a place in their list, from 0: a file whose numbers are meant in another
    order is read without an error.
    """
    if not isinstance(task, YamlTask):
        return ""
    column, choices, rows = task.file.doc_to_target, task.file.doc_to_choice, task.rows(task.split)
    if not isinstance(choices, list) or column not in columns(rows):
        return ""
    written = {str(row.get(column)) for row in rows} - set(choices)
    if not any(label.isdecimal() for label in written):
        return ""
    meant = ", ".join(f"{place} = {choice}" for place, choice in enumerate(choices))
    return f"numbers in column {column!r} are places in doc_to_choice: {meant}"
