"""Our own index of lm-evaluation-harness's tasks: name → kind and YAML file.

lm-eval finds a task by reading all of its 14,000 YAML files at each start. We read them once for each version of
lm-eval and keep what we learned in the cache folder, so that later starts read one small file.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from tianti.core.cache import cache_folder, write_whole
from tianti.core.exceptions import MissingExtraError
from tianti.core.progress import Progress, Silent

Kind = Literal["task", "group", "tag"]

_FORMAT = 1


@dataclass(frozen=True)
class IndexEntry:
    """Where a name of lm-eval leads.

    `path` is relative to lm-eval's folder of tasks and None for a tag; `members` are the tasks of a tag.
    """

    kind: Kind
    path: str | None = None
    members: tuple[str, ...] = ()


def harness_version() -> str:
    """The version of lm-eval that is installed.

    Raises:
        MissingExtraError: none is.
    """
    try:
        return importlib.metadata.version("lm_eval")
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtraError("lm_eval", "harness", "a task of lm-evaluation-harness") from None


def tasks_folder() -> Path:
    """The folder of lm-eval's packaged tasks, found without importing lm-eval.

    Raises:
        MissingExtraError: lm-eval is not installed.
    """
    specification = importlib.util.find_spec("lm_eval")
    if specification is None or specification.origin is None:
        raise MissingExtraError("lm_eval", "harness", "a task of lm-evaluation-harness")
    return Path(specification.origin).parent / "tasks"


def read_index(progress: Progress | None = None) -> Mapping[str, IndexEntry]:
    """Every task, group and tag of the installed lm-eval; made when the cache does not hold it yet.

    Raises:
        MissingExtraError: lm-eval is not installed.
    """
    path = cache_folder() / f"harness-index-{harness_version()}-{_FORMAT}.json"
    if not path.is_file():
        (progress or Silent()).say("Reading lm-eval's task files (once for each version of lm-eval) …")
        write_whole(path, json.dumps(_scan(), ensure_ascii=False, separators=(",", ":")))
    entries: dict[str, tuple[Kind, str | None, list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    return {name: IndexEntry(kind, file, tuple(members)) for name, (kind, file, members) in entries.items()}


def list_harness(pattern: str = "*") -> list[tuple[str, Kind]]:
    """The names that match a shell pattern (`mmlu_*`), sorted, each with what it is: task, group or tag.

    A pattern without wildcards matches every name that contains it.

    Raises:
        MissingExtraError: lm-eval is not installed.
    """
    if not any(character in pattern for character in "*?["):
        pattern = f"*{pattern}*"
    return sorted((name, entry.kind) for name, entry in read_index().items() if fnmatchcase(name, pattern))


def _scan() -> dict[str, tuple[Kind, str | None, Sequence[str]]]:
    """Let lm-eval itself read all of its files, so that its rules for names hold."""
    from lm_eval.tasks import TaskManager

    root = tasks_folder()
    kinds: dict[str, Kind] = {"TASK": "task", "PY_TASK": "task", "GROUP": "group", "TAG": "tag"}
    return {
        name: (
            kinds[entry.kind.name],
            entry.yaml_path.relative_to(root).as_posix() if entry.yaml_path else None,
            sorted(entry.tags) if entry.kind.name == "TAG" else (),
        )
        for name, entry in sorted(TaskManager().task_index.items())
    }
