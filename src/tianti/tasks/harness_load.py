"""Build tasks of lm-evaluation-harness by name, reading only the YAML files that they need."""

from __future__ import annotations

import functools
import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tianti.core.exceptions import IncompatibleError, TaskError, UnknownNameError
from tianti.core.progress import Progress
from tianti.tasks.harness_index import read_index, tasks_folder

# lm-eval's defaults for the generators that a task's own code may draw from.
_PYTHON_SEED, _NUMPY_SEED = 0, 1234


@contextmanager
def lm_eval_seeds() -> Iterator[None]:
    """Python's and numpy's global generators as lm-eval seeds them; afterwards as they were.

    Some tasks shuffle choices by these generators while they prepare their documents.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(_PYTHON_SEED)
    np.random.seed(_NUMPY_SEED)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


@contextmanager
def without_bar() -> Iterator[None]:
    """lm-eval draws a bar of its own while it writes prompts; the caller has one already."""
    from lm_eval.api import task as module

    bar, module.tqdm = module.tqdm, lambda documents, **_: documents
    try:
        yield
    finally:
        module.tqdm = bar


def build_lm_eval_tasks(name: str, include: Sequence[Path], progress: Progress | None) -> list[Any]:
    """lm-eval's own task objects for the name of a task, group or tag; groups and tags give all of their tasks.

    Args:
        include: folders of a user's own YAML files, whose names win over packaged ones.

    Raises:
        UnknownNameError: there is no such name.
        TaskError: a task, or the data set that it names, cannot be used.
        MissingExtraError: lm-eval is not installed.
    """
    registry = _registry(include, progress)
    if name not in registry:
        raise UnknownNameError("harness task", name, registry, remedy=_unreadable(include))
    _compile_templates_once()
    with explained(name, {}), _quiet():
        built = _factory().build(registry[name], overrides=None, registry=registry)
    found = (
        built
        if isinstance(built, list)
        else built.get_all_tasks()
        if hasattr(built, "get_all_tasks")
        else [built]
    )
    tasks = {task.config.task: task for task in found}
    for task in tasks.values():
        _refuse_what_cannot_run(task)
    return list(tasks.values())


@contextmanager
def _quiet() -> Iterator[None]:
    """lm-eval's remarks on how its YAML files are written concern their authors; what goes wrong is raised."""
    logger = logging.getLogger("lm_eval")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _compile_templates_once() -> None:
    """lm-eval compiles a template each time it renders it; keeping the compiled ones writes prompts 20 times faster."""
    from lm_eval import utils

    if not hasattr(utils.env.from_string, "cache_info"):
        utils.env.from_string = functools.lru_cache(maxsize=1024)(utils.env.from_string)


def _registry(include: Sequence[Path], progress: Progress | None) -> dict[str, Any]:
    """Every known name, as lm-eval's factory wants it; no packaged file is read for it."""
    packaged = read_index(progress)
    from lm_eval.tasks._index import Entry, Kind, TaskIndex

    root = tasks_folder()
    for folder in include:
        if not folder.is_dir():
            raise TaskError(f"no folder {folder}", remedy="--include takes a folder of lm-eval YAML files")
    registry = {
        name: Entry(
            name,
            Kind[entry.kind.upper()],
            root / entry.path if entry.path else None,
            None,
            set(entry.members),
        )
        for name, entry in packaged.items()
    }
    registry.update(TaskIndex.build([folder.resolve() for folder in include]))
    return registry


def _factory() -> Any:
    """lm-eval's factory, with errors that say which task and which data set."""
    from lm_eval.tasks._factory import TaskFactory
    from lm_eval.tasks._yaml_loader import load_yaml

    class Factory(TaskFactory):  # type: ignore[misc, unused-ignore]
        def _build_task(self, entry: Any, overrides: Any) -> Any:
            with explained(entry.name, {}):
                # Before its functions are imported and its data fetched: both may fail for lack of a network.
                if entry.yaml_path and load_yaml(entry.yaml_path, resolve_func=False).get("unsafe_code"):
                    raise _runs_code(entry.name)
                configuration = self._load_full_config(entry, overrides)
            with explained(entry.name, configuration), lm_eval_seeds():
                return super()._build_task(entry, overrides)

    return Factory()


@contextmanager
def explained(name: str, configuration: Mapping[str, Any]) -> Iterator[None]:
    """Turn what lm-eval and datasets raise into one error that says what to do."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except (TaskError, IncompatibleError):
        raise
    except ImportError as error:
        raise TaskError(f"harness:{name} needs a package that is not installed: {error}") from error
    except (OSError, DatasetsError) as error:
        dataset = ", ".join(
            str(configuration[key]) for key in ("dataset_path", "dataset_name") if configuration.get(key)
        )
        raise TaskError(
            f"harness:{name}: its data set ({dataset or 'unnamed'}) cannot be read: {error}",
            remedy="check the network, or set HF_HOME to a cache that holds it, or write a YAML that includes the "
            "task's own with dataset_path: json and dataset_kwargs: {data_files: …}, and --include its folder",
        ) from error
    except Exception as error:
        source = configuration.get("metadata", {}).get("config_source", "its YAML file")
        raise TaskError(
            f"harness:{name}: lm-eval cannot use it: {type(error).__name__}: {error}",
            remedy=f"check {source}",
        ) from error


def _runs_code(name: str) -> TaskError:
    return TaskError(
        f"harness:{name} runs code that the model wrote, which is refused: there is no sandbox for it",
        remedy="choose a task that is graded without running code",
    )


def _refuse_what_cannot_run(task: Any) -> None:
    if getattr(task, "UNSAFE_CODE", False):  # a task's own class may say so where its YAML does not
        raise _runs_code(task.config.task)
    if getattr(task, "MULTIMODAL", False):
        raise TaskError(f"harness:{task.config.task} asks about images or sound", remedy="choose a text task")


def _unreadable(include: Sequence[Path]) -> str:
    """Which of a user's YAML files lm-eval cannot read (it passes over them without a word), or how to name some."""
    from lm_eval.tasks._yaml_loader import load_yaml

    problems = []
    for path in (path for folder in include for path in sorted(folder.rglob("*.yaml"))):
        try:
            load_yaml(path, resolve_func=False)
        except Exception as error:
            problems.append(f"{path}: {error}")
    if problems:
        return "these files could not be read:\n" + "\n".join(problems)
    return "" if include else "a task of a YAML file of your own needs its folder: --include FOLDER"
