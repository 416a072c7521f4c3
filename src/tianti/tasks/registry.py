"""Finds tasks by reference: a library name, a path to a task file, or `harness:<name>`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tianti.core.call import Call, parse_call, refuse_list
from tianti.core.exceptions import InputError, TaskError, UnknownNameError
from tianti.core.neighbours import YAML
from tianti.tasks.data import READERS
from tianti.tasks.task import Task, TaskInfo

if TYPE_CHECKING:
    from tianti.tasks.task_file import TaskFile

LIBRARY = Path(__file__).parent / "library"
HARNESS = "harness:"


def load_tasks(reference: str, include: Sequence[Path] = (), seed: int | None = None) -> list[Task]:
    """The tasks that `reference` names: one, or all of a harness group.

    `nano/sentiment`, `nano/sentiment(split=fresh, seed=7)`, `./my_task.yaml(split=validation)`, `harness:hellaswag`.
    `include` holds folders with a user's own lm-evaluation-harness tasks. `seed` is the seed of generated data where
    the reference gives none; other data has no seed.

    Raises:
        UnknownNameError: no such task.
        TaskError: a task file that cannot be used.
        MissingExtraError: a harness task, and lm-evaluation-harness is not installed.
    """
    if reference.startswith(HARNESS):
        refuse_list(reference)
        return _harness(reference.removeprefix(HARNESS), include)
    call = Call(reference) if Path(reference).is_file() else parse_call(reference)
    for name in call.arguments:
        if name not in ("split", "seed"):
            raise UnknownNameError("argument", name, ["split", "seed"], where=reference)
    return [_yaml_task(call, reference, seed)]


def list_tasks() -> list[TaskInfo]:
    """The tasks of the library, by name; those of lm-evaluation-harness are not listed here."""
    from tianti.tasks.yaml_task import YamlTask

    return [YamlTask.from_path(path, name=name).info for name, path in _library().items()]


def _yaml_task(call: Call, reference: str, seed: int | None) -> Task:
    from tianti.tasks.task_file import read_task_file
    from tianti.tasks.yaml_task import YamlTask

    path = _path(call.name)
    file = read_task_file(path)
    arguments = dict(call.arguments)
    if seed is not None and _generated(file):
        arguments.setdefault("seed", seed)
    if "seed" in arguments:
        file = _seeded(file, arguments["seed"], reference)
    return YamlTask(
        file,
        path,
        split=str(arguments.get("split", "test")),
        name=str(Call(file.task, arguments)),
        reference=str(Call(call.name, arguments)),
    )


def _generated(file: TaskFile) -> bool:
    from tianti.tasks.task_file.keys import GeneratedData

    return isinstance(file.data, GeneratedData)


def _seeded(file: TaskFile, seed: object, reference: str) -> TaskFile:
    """The file with its generated data drawn from `seed`."""
    if not _generated(file):
        raise TaskError(f"{reference}: its data is not generated and has no seed", remedy="leave seed out")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise InputError(f"{reference}: seed expects a whole number, found {seed!r}")
    return file.model_copy(update={"data": file.data.model_copy(update={"seed": seed})})


def _path(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() in YAML:
        return path
    if path.suffix.lower() in READERS:
        raise TaskError(
            f"{name}: a data file, not a task: a task file says what is asked of its rows",
            remedy=f"`tianti task new {path.stem}` writes one to start from; name {path.name} there, under data",
        )
    library = _library()
    if name not in library:
        raise UnknownNameError(
            "task",
            name,
            library,
            remedy=f"a task of your own is a path to its .yaml; lm-eval's are {HARNESS}NAME",
        )
    return library[name]


def _library() -> dict[str, Path]:
    paths = {path.relative_to(LIBRARY).with_suffix("").as_posix(): path for path in LIBRARY.rglob("*.yaml")}
    return dict(sorted(paths.items()))


def _harness(name: str, include: Sequence[Path]) -> list[Task]:
    from tianti.tasks.harness import load_harness_tasks

    return list(load_harness_tasks(name, include))
