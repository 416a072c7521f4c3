"""New examples for a deployed entry: read, checked against their task, and kept in the store as a task of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tianti.core.exceptions import InputError, TaskError, UnknownNameError
from tianti.core.fingerprint import file_digest, fingerprint
from tianti.core.seeds import derived_random
from tianti.tasks import Task, load_tasks
from tianti.tasks.data import columns, read_rows
from tianti.tasks.task_file.keys import DataFiles
from tianti.tasks.template import is_template, names_in
from tianti.tasks.yaml_task import YamlTask

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class NewData:
    """What is to be learned: the training split of `task`, a task of its own that `reference` opens again.

    `extends` is the old task that it has more examples of, whose questions stay what they are; None for a new task.
    `digest` names what was given, so that it is known again; `examples` of it came in the file.
    """

    task: Task
    reference: str
    digest: str
    examples: int
    extends: Task | None = None


def read_new_data(folder: Path, old: Sequence[Task], data: Path | None, reference: str | None) -> NewData:
    """New examples of one of the `old` tasks, or a new task; what a data file brings is kept in `folder`.

    More examples of an old task are learned beside as many of its own training examples, drawn at random, so that the
    new ones are not all that is learned of it; the epoch is chosen by its own validation split. Of a new task the
    examples of its own training split are learned, if it has one, and those of the file.

    Raises:
        TaskError: the file cannot be read, or a row does not fit the task; says the line and the columns.
        UnknownNameError: no such task.
        InputError: neither is given, or it is not clear which task the examples are of.
    """
    task, extends = _find_task(old, data, reference)
    if data is None:
        examples = len(task.examples("train"))
        if not examples:
            raise TaskError(
                f"{task.info.name} has no training split, and nothing can be learned from it",
                remedy="give one in the task file (data: {train: …}), or --data new.jsonl",
            )
        digest = fingerprint({"task": task.info.name, "data": task.fingerprint})
        return NewData(task, task.info.reference or task.info.name, digest, examples, extends)
    if not isinstance(task, YamlTask):
        raise TaskError(
            f"{task.info.name}: its samples are lm-evaluation-harness's, and take no further examples",
            remedy="write a task file for them: tianti task new NAME",
        )
    rows = read_examples(data, task)
    came = file_digest(data)
    place = fingerprint({"task": task.fingerprint, "data": came, "extends": bool(extends)})
    reference = _keep(folder / place[:16], task, _train_rows(task, rows, place, bool(extends)))
    (made,) = load_tasks(reference)
    digest = fingerprint({"task": task.info.name, "data": came})
    return NewData(made, reference, digest, len(rows), extends)


def read_examples(path: Path, task: YamlTask) -> Rows:
    """The rows of a data file, each of which is a labelled example of the task.

    Raises:
        TaskError: one is not; says the line, and the columns that are expected.
    """
    remedy = f"each line is an object with {expected(task)}"
    if not path.is_file():
        read_rows(path)  # says what lies there
    try:
        rows = read_rows(path)
        keys: dict[str, Any] = {"data": DataFiles(train=path.name)}
        if task.file.id is not None and task.file.id not in columns(rows):
            keys["id"] = None  # new examples need no ids
        YamlTask(task.file.model_copy(update=keys), path, split="train", name=task.name).examples("train")
    except (TaskError, UnknownNameError) as error:
        said = _by_line(path, error.message.replace(f"{path}, split train", str(path)))
        own = f"{error.remedy}; " if error.remedy and "columns:" not in error.remedy else ""
        raise TaskError(f"{said} (new examples of {task.info.name})", remedy=own + remedy) from error
    return rows


def expected(task: YamlTask) -> str:
    """The columns that a labelled example of the task has, with one of its own as a pattern."""
    split = "train" if "train" in task.file.splits else task.split
    first = task.rows(split)[0]
    read = set(_texts(task.file.prompt_settings()))
    for text in list(read):
        if is_template(text):
            read |= names_in(text)
    named = [column for column in first if column in read and column != (task.file.id or "id")]
    pattern = json.dumps({column: first[column] for column in named}, ensure_ascii=False)
    return f"the columns {', '.join(named)}: {pattern if len(pattern) <= 200 else pattern[:199] + '…'}"


def _find_task(old: Sequence[Task], data: Path | None, reference: str | None) -> tuple[Task, Task | None]:
    """The task that the examples are of, and the same again where it is an old one."""
    if reference is not None:
        for task in old:
            if reference in (task.info.name, task.info.reference):
                return task, task
        found = load_tasks(reference)
        if len(found) != 1:
            raise InputError(f"{reference} is {len(found)} tasks", remedy="name each by itself")
        same = next((task for task in old if _asks_the_same(task, found[0])), None)
        return same or found[0], same
    if data is None:
        raise InputError(
            "nothing to learn is given",
            remedy="--data new.jsonl for more examples of a task of the entry, --task task.yaml for a new one",
        )
    own = [task for task in old if isinstance(task, YamlTask)]
    if len(own) == 1:
        return own[0], own[0]
    fitting = [task for task in own if _fits(data, task)] if own else []
    if len(fitting) == 1:
        return fitting[0], fitting[0]
    read_rows(data)  # a file that cannot be read fits nothing, and that is the reason
    names = ", ".join(task.info.name for task in fitting or own)
    if fitting:
        raise InputError(
            f"{data}: its columns fit {len(fitting)} tasks of the entry: {names}",
            remedy="say which with --task",
        )
    raise InputError(
        f"{data}: its columns ({', '.join(sorted(columns(read_rows(data))))}) fit no task of the entry",
        remedy=f"of one of {names}: name it with --task to see what is wrong; of a new task: --task task.yaml, which "
        "`tianti task new NAME` writes",
    )


def _asks_the_same(old: Task, given: Task) -> bool:
    """Whether both are one task; an old one may have been learned with further examples."""
    if old.fingerprint == given.fingerprint:
        return True
    if not isinstance(old, YamlTask) or not isinstance(given, YamlTask) or old.name != given.name:
        return False
    prompts = old.file.prompt_settings(), given.file.prompt_settings()
    return {**prompts[0], "task": ""} == {**prompts[1], "task": ""} and old.rows(old.split) == given.rows(
        given.split
    )


def _fits(data: Path, task: YamlTask) -> bool:
    try:
        read_examples(data, task)
    except TaskError:
        return False
    return True


def _train_rows(task: YamlTask, rows: Rows, digest: str, extends: bool) -> Rows:
    """What is learned: the new rows, and of an old task as many of its own; of a new one all of its own."""
    own = task.rows("train") if "train" in task.file.splits else []
    if extends and len(own) > len(rows):
        chosen = sorted(derived_random("update", digest).sample(range(len(own)), len(rows)))
        own = [own[index] for index in chosen]
    column = task.file.id or "id"
    named = task.file.id is not None or any(column in row for row in (*own, *rows))
    return [
        {**row, column: f"{digest[:8]}-{number}"} if named else row
        for number, row in enumerate((*own, *rows))
    ]


def _keep(folder: Path, task: YamlTask, train: Rows) -> str:
    """Write a task file with its data, all of it or nothing; the reference that opens it."""
    path = folder.absolute() / "task.yaml"
    if path.exists():
        return str(path)
    splits = {"train": train, "test": task.rows(task.split)}
    if "validation" in task.file.splits:
        splits["validation"] = task.rows("validation")
    content = task.file.model_dump(mode="json", exclude_unset=True, exclude={"data"})
    content |= {"task": task.name, "data": {split: f"{split}.jsonl" for split in splits}}
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        for split, rows in splits.items():
            _write(draft / f"{split}.jsonl", "".join(_line(row, task) for row in rows))
        _write(draft / "task.yaml", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        draft.rename(folder)
    except OSError:
        if not path.exists():  # otherwise another process has written the same
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return str(path)


def _line(row: Mapping[str, Any], task: YamlTask) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise TaskError(
            f"{task.info.name}: a row cannot be kept as JSON: {error}",
            remedy="give texts, finite numbers, true, false, null, lists and objects",
        ) from error


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def line_numbers(path: Path) -> list[int]:
    """Of each row the line where it stands; empty for a format in which rows are no lines.

    The number of a row counts no empty lines.
    """
    if path.suffix.lower() != ".jsonl":
        return []
    lines = path.read_text("utf-8-sig", errors="replace").split("\n")
    return [number for number, line in enumerate(lines, 1) if line.strip()]


def _by_line(path: Path, message: str) -> str:
    """The message with the line of the file in place of the number of a row."""
    numbers = line_numbers(path)
    if not numbers:
        return message
    return re.sub(r"\brow (\d+)", lambda found: f"line {numbers[int(found[1]) - 1]}", message)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
